"""Faults to inject into a run by configuration."""

import os
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer


class SignalAt(Callback):
    """Sends this process a signal right after the optimizer step number ``step``: 9 is ``kill -9``, 15 what Slurm and
    systemd send, 2 is Ctrl-C.
    """

    def __init__(self, step: int, number: int) -> None:
        self.step, self.number = step, number

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if trainer.global_step == self.step:
            os.kill(os.getpid(), self.number)
