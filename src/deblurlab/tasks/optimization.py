"""The optimizers and learning rate schedules of a task. Settings that they refuse are one clear error."""

from collections.abc import Callable, Iterator

from lightning.pytorch import Trainer
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


def make_optimizer(optimizer: Callable[[Iterator[nn.Parameter]], Optimizer], network: nn.Module) -> Optimizer:
    """Make the optimizer of a network's parameters.

    Raises:
        ValueError: If the optimizer refuses its settings.
    """
    try:
        return optimizer(network.parameters())
    except (TypeError, ValueError) as error:
        raise ValueError(f"the optimizer cannot be made of its settings: {error}") from error


def make_epoch_schedule(scheduler: Callable[[Optimizer], LRScheduler], optimizer: Optimizer) -> LRScheduler:
    """Make a schedule that is stepped once per epoch.

    Raises:
        ValueError: If the schedule refuses its settings.
    """
    try:
        return scheduler(optimizer)
    except (TypeError, ValueError) as error:
        raise ValueError(f"model.scheduler cannot be made of its settings: {error}") from error


def make_step_schedule(scheduler: Callable[..., LRScheduler], optimizer: Optimizer, trainer: Trainer) -> LRScheduler:
    """Make a schedule that is stepped after each batch, for the number of steps of the trainer's training.

    Args:
        scheduler: Takes the optimizer and ``total_steps``.
        optimizer: The optimizer.
        trainer: The trainer, whose training is about to start.

    Raises:
        ValueError: If the length of the training is not known in advance, or the schedule refuses its settings.
    """
    steps = trainer.estimated_stepping_batches
    # To count the steps, Lightning has made the training loader. It would keep that loader and never load the
    # checkpoint's position within an epoch into it. Without it, Lightning makes a new loader and does so.
    trainer.fit_loop._combined_loader = None
    if steps == float("inf"):
        raise ValueError("model.step_scheduler needs the number of steps: set trainer.max_epochs or trainer.max_steps.")
    try:
        return scheduler(optimizer, total_steps=int(steps))
    except TypeError as error:
        raise ValueError(
            f"model.step_scheduler cannot be made: {error}. It takes the optimizer and total_steps, as "
            "deblurlab.tasks.schedules.warmup_cosine and torch.optim.lr_scheduler.OneCycleLR do."
        ) from error
