"""Saves a checkpoint and ends the training when a signal asks the process to end."""

import signal
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from deblurlab.callbacks.agreement import Agreed, agreed, agreed_at_batch
from deblurlab.callbacks.lightning_internals import (
    is_between_steps,
    is_fast_dev_run,
    leave_signals_to_us,
    log_batch,
)
from deblurlab.run.run_folder import RunFolder
from deblurlab.signals import interruption


class LeaveOnSignal(Callback):
    """Ends a training that was asked to end, at the first point from which it can be resumed exactly.

    Usually this is the end of the current batch, where it saves the run's last checkpoint. During an epoch's last batch
    and in validation it is the end of the epoch, which has a checkpoint of its own. If that takes too long,
    :mod:`~deblurlab.signals.interruption` interrupts the training, and the previous checkpoint remains the last one.

    This callback must follow all callbacks whose state belongs in the checkpoint.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.file = folder.last_checkpoint
        self._training = ExitStack()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Lightning has just set its own handler of SIGTERM, which saves nothing and ends in the midst of validation
        interruption.listen_again()
        leave_signals_to_us(trainer)
        self._training.enter_context(interruption.finishing_first())

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._training.close()

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        interruption.listen_again()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._leave_if_asked(trainer, agreed(trainer))

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self._leave_if_asked(trainer, agreed_at_batch(trainer), saving=True)

    def _leave_if_asked(self, trainer: Trainer, by_all: Agreed, *, saving: bool = False) -> None:
        """End this and all other processes if one of them was asked to end: they can only save together."""
        if not by_all.signal or (saving and not is_between_steps(trainer)):
            return
        if saving and trainer.checkpoint_callbacks and not is_fast_dev_run(trainer):
            trainer.save_checkpoint(self.file, weights_only=False)
            log_batch(trainer)  # the resumed run starts with the next batch, and would never log this one
        interruption.leave(signal.Signals(by_all.signal))
