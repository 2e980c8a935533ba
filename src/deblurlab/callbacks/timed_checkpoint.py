"""Checkpoints by the clock, for epochs that take long."""

import time
from collections.abc import Mapping
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor


class TimedCheckpoint(Checkpoint):
    """Saves the state within an epoch whenever some minutes have gone by.

    Lightning's ModelCheckpoint leaves out such checkpoints under manual optimization.

    Args:
        file: is replaced each time.
        minutes: between two checkpoints.
    """

    def __init__(self, file: str, minutes: float = 15.0) -> None:
        self.file, self.seconds = file, 60 * minutes
        self._saved = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._saved = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if trainer.strategy.broadcast(time.monotonic() - self._saved >= self.seconds):  # all hosts, or none
            trainer.save_checkpoint(self.file, weights_only=False)
            self._saved = time.monotonic()
