"""Keeps the run's metrics.csv, with one row per epoch, and draws it as curves.png."""

import csv
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from deblurlab.callbacks.lightning_internals import batches_trained
from deblurlab.files.whole_file import whole_file
from deblurlab.interfaces import Pair
from deblurlab.metrics import ImageScores, score
from deblurlab.run import figures
from deblurlab.run.history import read_history
from deblurlab.run.run_folder import RunFolder


class History(Callback):
    """Writes ``metrics.csv`` after each epoch, and ``curves.png`` every half minute and at the end.

    The curves show the scores of the blurred validation images as a line. These are computed once, in the first
    validation (not on a TPU, which would compile another step for them).

    Each row has the epoch (counted from 1), the optimizer steps and the batches so far (a WGAN makes six steps per
    batch), the learning rate of its first batch, the seconds that training and validation of the epoch took, and every
    metric that was logged for the epoch. When a run is resumed, the rows of epochs after its checkpoint are dropped. If
    the checkpoint is from the middle of an epoch, the seconds of that epoch count only the part after the resume.

    Args:
        folder: The run's folder.
    """

    redraw_seconds = 30.0

    def __init__(self, folder: str) -> None:
        files = RunFolder(Path(folder))
        self.file, self.picture = files.history_file, files.curves_picture
        self.rows: list[dict[str, float]] = []
        self._start = self._drawn = 0.0
        self._validated = False
        self._rate = 0.0
        self._resumed_rate: float | None = None  # that of the first batch, if an earlier process began the epoch
        self._blurred = ImageScores()
        self._blurred_means: dict[str, float] | None = None

    def state_dict(self) -> dict[str, Any]:
        return {"validated": self._validated, "lr": self._rate}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._validated = state_dict["validated"]
        if "lr" in state_dict:  # checkpoints of 0.1.0 have none
            self._resumed_rate = float(state_dict["lr"])

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.rows = [row for row in read_history(self.file) if row["epoch"] <= trainer.current_epoch]
        # Lightning does not call on_train_epoch_start when a run is resumed in the middle of an epoch
        self._begin_epoch(trainer)
        if self._resumed_rate is not None:
            self._rate, self._resumed_rate = self._resumed_rate, None

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._begin_epoch(trainer)

    def _begin_epoch(self, trainer: Trainer) -> None:
        self._start = time.monotonic()
        # read now, because the schedule changes it before the epoch's end is reported
        self._rate = float(trainer.optimizers[0].param_groups[0]["lr"])

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Pair,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if self._blurred_means is None and batch.sharp.device.type != "xla":
            scores = score(batch.blurred, batch.sharp, pl_module.loss)  # type: ignore[arg-type]
            self._blurred.to(batch.sharp.device).update(scores, batch.valid)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._validated = True
        if self._blurred_means is None and self._blurred.update_called:
            self._blurred_means = {name: float(value) for name, value in self._blurred.compute().items()}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        row = {
            "epoch": float(trainer.current_epoch + 1),
            "step": float(trainer.global_step),
            "batches": float(batches_trained(trainer)),
            "lr": self._rate,
            "seconds": round(time.monotonic() - self._start, 3),
        }
        for name, value in trainer.callback_metrics.items():
            # after an epoch without validation, Lightning still holds the metrics of the one before
            stale = name.startswith("val/") and not self._validated
            # "lr-..." is LearningRateMonitor's rate of the last logged step; the row has that of the first batch
            if not (stale or name.endswith("_step") or name.startswith("lr-")):
                row[name.removesuffix("_epoch")] = float(value)
        self._validated = False
        self.rows.append(row)
        if trainer.is_global_zero:
            self._write()
            if time.monotonic() > self._drawn + self.redraw_seconds:
                self._draw()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            self._draw()

    def _write(self) -> None:
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        with whole_file(self.file) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, names)
            writer.writeheader()
            writer.writerows({name: f"{value:.8g}" for name, value in row.items()} for row in self.rows)

    def _draw(self) -> None:
        title = "/".join(self.picture.absolute().parent.parts[-2:])
        figures.save(figures.curves(self.rows, title=title, blurred=self._blurred_means), self.picture)
        self._drawn = time.monotonic()
