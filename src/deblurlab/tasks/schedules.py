"""Learning rate schedules for configurations: some are stepped once per epoch, some after each batch."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def constant_then_exponential(optimizer: Optimizer, *, constant_epochs: int, gamma: float) -> LambdaLR:
    """Keep the learning rate constant for some epochs, then multiply it by ``gamma`` before each further epoch.

    Args:
        optimizer: The optimizer, with the initial learning rate.
        constant_epochs: The number of epochs at the initial rate.
        gamma: The factor per epoch afterwards.
    """
    return LambdaLR(optimizer, lambda epoch: gamma ** max(0, epoch + 1 - constant_epochs))


def warmup_cosine(optimizer: Optimizer, total_steps: int, *, warmup: float, final: float) -> LambdaLR:
    """Raise the learning rate linearly to the optimizer's rate (warm-up), then lower it along half a cosine.

    It is stepped after each batch, so it belongs in ``model.step_scheduler``. The task passes ``total_steps``.

    Args:
        optimizer: The optimizer, with the highest learning rate.
        total_steps: The number of steps of the whole training. After them the rate stays at its last value.
        warmup: The share of the steps in which the rate rises, in [0, 1).
        final: The last rate as a share of the highest one.

    Raises:
        ValueError: If ``warmup`` is not in [0, 1).
    """
    if not 0 <= warmup < 1:
        raise ValueError(f"model.step_scheduler.warmup is a share of the training, in [0, 1), got {warmup}.")
    rising = round(warmup * total_steps)

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        done = min(1.0, (step - rising) / max(1, total_steps - 1 - rising))
        return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2

    return LambdaLR(optimizer, factor)
