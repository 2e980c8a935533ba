"""Learning rate schedules, as configurations name them: some are stepped once per epoch, some after each batch."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def constant_then_exponential(optimizer: Optimizer, *, constant_epochs: int, gamma: float) -> LambdaLR:
    """Keep the optimizer's learning rate for some epochs, then multiply it by a factor before each further epoch.

    Args:
        optimizer: The optimizer.
        constant_epochs: The number of epochs at the optimizer's own rate.
        gamma: The factor.
    """
    return LambdaLR(optimizer, lambda epoch: gamma ** max(0, epoch + 1 - constant_epochs))


def warmup_cosine(optimizer: Optimizer, total_steps: int, *, warmup: float, final: float) -> LambdaLR:
    """Raise the learning rate in equal steps to the optimizer's own, then lower it along half a cosine.

    This is a schedule of single steps, for ``model.step_scheduler``: the task tells ``total_steps``.

    Args:
        optimizer: The optimizer.
        total_steps: The number of steps of the whole training. After them the rate stays at its last value.
        warmup: The share of them in which the rate rises, in [0, 1).
        final: The last rate as a share of the optimizer's own.

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
