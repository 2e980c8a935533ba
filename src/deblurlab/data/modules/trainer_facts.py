"""What a data module asks of its trainer; without a trainer, in a plain loop, there is one process."""

from collections.abc import Callable

from lightning.pytorch import Trainer


def epoch_of(trainer: Trainer | None) -> Callable[[], int] | None:
    """Says which epoch a training loader is to give; None without a trainer: the loader counts its epochs itself."""
    return None if trainer is None else lambda: trainer.current_epoch
