"""The facts that a data module needs of its trainer; without a trainer, those of one process in a plain loop."""

from collections.abc import Callable

from lightning.pytorch import Trainer

from deblurlab.data.batches.host import Host


def host_of(trainer: Trainer | None) -> Host:
    """This process among those of the trainer."""
    return Host() if trainer is None else Host(trainer.global_rank, trainer.world_size)


def epoch_of(trainer: Trainer | None) -> Callable[[], int] | None:
    """A function that returns the current epoch; None without a trainer, so that the loader counts its epochs."""
    return None if trainer is None else lambda: trainer.current_epoch
