"""Refuses to resume within an epoch that has become too short."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from deblurlab.checks.command_line import assignment


class PositionInEpoch(Callback):
    """Ends a training that would resume after a batch that its epoch does not have any more.

    The epoch would be over at once, and Lightning would not validate after it.
    """

    def __init__(self) -> None:
        self._batches = 0  # of the epoch within which the checkpoint was written

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        batches = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        self._batches = 0 if batches["is_last_batch"] else batches["current"]["ready"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        left = trainer.num_training_batches
        if 0 < left <= self._batches:
            raise ValueError(
                f"{trainer.ckpt_path} was written after batch {self._batches} of an epoch that has {left} now, because "
                "files of data.root are gone. Put them back, continue from the end of an epoch with ckpt_path=best, or "
                f"start another run from these weights: {assignment('weights', trainer.ckpt_path)}."
            )
        self._batches = 0
