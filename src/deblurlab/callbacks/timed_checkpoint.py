"""Saves checkpoints at fixed times, for long epochs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor

from deblurlab.callbacks.agreement import agreed, agreed_at_batch
from deblurlab.callbacks.lightning_internals import is_between_steps
from deblurlab.run.run_folder import RunFolder


class TimedCheckpoint(Checkpoint):
    """Saves the run's last checkpoint every few minutes, also within an epoch.

    It saves only after batches from which the run can be resumed exactly: not after an epoch's last batch, before a
    validation, or while gradients are being accumulated.

    Lightning's ``ModelCheckpoint(train_time_interval=...)`` saves nothing under manual optimization, as a WGAN has it.

    Args:
        folder: The run's folder.
        minutes: The time between two checkpoints.
        file: The file to save to instead of the run's last checkpoint. Configurations of deblurlab 0.1 have this
            argument instead of ``folder``.

    Raises:
        ValueError: If neither ``folder`` nor ``file`` is given.
    """

    def __init__(self, folder: str | None = None, minutes: float = 15.0, *, file: str | None = None) -> None:
        if file is not None:
            self.file = Path(file)
        elif folder:
            self.file = RunFolder(Path(folder)).last_checkpoint
        else:
            raise ValueError("TimedCheckpoint needs the run's folder: write folder: ${run} in its configuration.")
        self.seconds = 60 * minutes
        self._saved = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._saved = agreed(trainer).clock

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Any,
        batch_idx: int,
    ) -> None:
        # a clock that all processes share, since they have to save together
        clock = agreed_at_batch(trainer).clock
        if clock - self._saved >= self.seconds and is_between_steps(trainer):
            trainer.save_checkpoint(self.file, weights_only=False)
            self._saved = agreed(trainer).clock
