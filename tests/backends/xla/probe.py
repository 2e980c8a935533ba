"""A callback that tests put into a run: XLA's counters after every training step, as JSON lines."""

import json
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from deblurlab.backends.xla.counters import compiled, fallbacks, transfers


class Probe(Callback):
    def __init__(self, file: str) -> None:
        self.file = Path(file)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self._write("start", trainer)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        self._write("end", trainer)

    def _write(self, when: str, trainer: Trainer) -> None:
        row = {
            "when": when,
            "epoch": trainer.current_epoch,
            "step": trainer.global_step,
            "graphs": compiled()[0],
            "transfers": transfers(),
            "fallbacks": fallbacks(),
        }
        with self.file.open("a") as stream:
            stream.write(json.dumps(row) + "\n")
