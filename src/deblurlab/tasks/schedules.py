"""Learning rate schedules, stepped once an epoch."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def constant_then_exponential(optimizer: Optimizer, *, constant_epochs: int, gamma: float) -> LambdaLR:
    """The base rate for ``constant_epochs`` epochs, then multiplied by ``gamma`` before every further one."""
    return LambdaLR(optimizer, lambda epoch: gamma ** max(0, epoch + 1 - constant_epochs))
