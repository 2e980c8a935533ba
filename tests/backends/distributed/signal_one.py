"""A callback that sends a signal to one of several processes."""

import os
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer


class SignalOne(Callback):
    def __init__(self, rank: int, step: int, number: int) -> None:
        self.rank, self.step, self.number = rank, step, number

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if trainer.global_rank == self.rank and trainer.global_step == self.step:
            os.kill(os.getpid(), self.number)
