"""What a data module asks its trainer, and the answers without a trainer, for one process in a plain loop."""

from collections.abc import Callable

from lightning.pytorch import Trainer

from deblurlab.data.batches.host import Host


def host_of(trainer: Trainer | None) -> Host:
    """Which of the trainer's processes this is."""
    return Host() if trainer is None else Host(trainer.global_rank, trainer.world_size)


def epoch_of(trainer: Trainer | None) -> Callable[[], int] | None:
    """What tells a training loader its epoch; None without a trainer, so that the loader counts its epochs."""
    return None if trainer is None else lambda: trainer.current_epoch
