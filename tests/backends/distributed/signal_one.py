"""A callback that sends a signal to one of several processes."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from tests.faults import send_to_this_process


class SignalOne(Callback):
    def __init__(self, rank: int, step: int, number: int) -> None:
        self.rank, self.step, self.number = rank, step, number

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if trainer.global_rank == self.rank and trainer.global_step == self.step:
            send_to_this_process(self.number)
