"""metrics.csv, one row an epoch, and curves.png."""

import csv
import time
from pathlib import Path

from lightning.pytorch import Callback, LightningModule, Trainer

from deblurlab.files.whole_file import whole_file
from deblurlab.run import figures
from deblurlab.run.history import read_history


class History(Callback):
    """Keeps the run's metrics.csv and curves.png.

    Each row has the epoch (from 1), the optimizer steps and the batches so far (a WGAN's batch has six steps), the
    learning rate, the epoch's seconds of training and validation, and every metric logged for the epoch. A resumed
    run goes on behind the last epoch that its checkpoint has seen; if that was in the middle of an epoch, this
    epoch's training loss and seconds are those of its rest.
    """

    redraw_seconds = 30.0

    def __init__(self, folder: str) -> None:
        self.file = Path(folder) / "metrics.csv"
        self.rows: list[dict[str, float]] = []
        self._start = self._drawn = 0.0
        self._validated = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start = time.monotonic()
        self.rows = [row for row in read_history(self.file) if row["epoch"] <= trainer.current_epoch]
        self._rate = float(trainer.optimizers[0].param_groups[0]["lr"])  # a run resumed within an epoch starts none

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start = time.monotonic()
        self._rate = float(trainer.optimizers[0].param_groups[0]["lr"])  # the schedule steps before the epoch's end

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._validated = True

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        row = {
            "epoch": float(trainer.current_epoch + 1),
            "step": float(trainer.global_step),
            "batches": float(trainer.fit_loop.total_batch_idx + 1),
            "lr": self._rate,
            "seconds": round(time.monotonic() - self._start, 3),
        }
        for name, value in trainer.callback_metrics.items():
            stale = name.startswith("val/") and not self._validated  # Lightning keeps the last ones
            if not (stale or name.endswith("_step")):
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
        with whole_file(self.file) as partial, partial.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, names)
            writer.writeheader()
            writer.writerows({name: f"{value:.8g}" for name, value in row.items()} for row in self.rows)

    def _draw(self) -> None:
        figures.save(figures.curves(self.rows), self.file.with_name("curves.png"))
        self._drawn = time.monotonic()
