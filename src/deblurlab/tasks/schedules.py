"""Learning rate schedules. Lightning steps them once per epoch."""

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
