"""Faults to inject into a run by configuration."""

import os
import shutil
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint

from deblurlab.callbacks import TimedCheckpoint
from deblurlab.signals import interruption


def send_to_this_process(number: int) -> None:
    """Send it a signal, after which it may take as long to end as a starved machine needs."""
    interruption.PATIENCE, interruption.LIMIT = 600, 700
    os.kill(os.getpid(), number)


class SignalAt(Callback):
    """Sends this process a signal right after the optimizer step number ``step``: 9 is ``kill -9``, 15 what Slurm and
    systemd send, 2 is Ctrl-C.
    """

    def __init__(self, step: int, number: int) -> None:
        self.step, self.number = step, number

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if trainer.global_step == self.step:
            send_to_this_process(self.number)


class SignalIn(Callback):
    """Sends this process a signal at one of Lightning's hooks, once in a run's folder.

    Args:
        hook: ``on_validation_batch_end``, ``on_test_batch_end``, or ``on_save_checkpoint``, which is within a save.
        number: The signal.
        folder: The run's folder; a file there remembers that the signal has been sent.
    """

    def __init__(self, hook: str, number: int, folder: str) -> None:
        self.hook, self.number, self.sent = hook, number, Path(folder) / "signal_sent"

    def _at(self, hook: str) -> None:
        if hook == self.hook and not self.sent.exists():
            self.sent.touch()
            send_to_this_process(self.number)

    def on_validation_batch_end(self, *_: Any) -> None:
        self._at("on_validation_batch_end")

    def on_test_batch_end(self, *_: Any) -> None:
        self._at("on_test_batch_end")

    def on_save_checkpoint(self, *_: Any) -> None:
        self._at("on_save_checkpoint")


class Vanish(Callback):
    """Removes the run's folder after the optimizer step number ``step``, as a disk does that is unplugged."""

    def __init__(self, step: int, folder: str) -> None:
        self.step, self.folder = step, folder

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            shutil.rmtree(self.folder)


def copy_run(folder: Path, moment: str) -> None:
    """Copy the folder of a run that is called ``run`` as it is now, into ``copies`` beside it."""
    if folder.name == "run":
        copies = folder.with_name("copies")
        number = len(list(copies.glob("*")))
        shutil.copytree(folder, copies / f"{number:03}_{moment}")


class Snapshots(Checkpoint):
    """Copies the run's folder whenever a process could be killed: it then is what the kill would have left.

    It is a Checkpoint, so that Lightning calls it after all callbacks of other kinds.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def on_train_start(self, *_: Any) -> None:
        copy_run(self.folder, "train_start")

    def on_train_batch_end(self, *_: Any) -> None:
        copy_run(self.folder, "train_batch_end")

    def on_validation_batch_end(self, *_: Any) -> None:
        copy_run(self.folder, "validation_batch_end")

    def on_validation_end(self, *_: Any) -> None:
        copy_run(self.folder, "validation_end")

    def on_train_epoch_end(self, *_: Any) -> None:
        copy_run(self.folder, "train_epoch_end")

    def on_fit_end(self, *_: Any) -> None:
        copy_run(self.folder, "fit_end")

    def on_test_batch_end(self, *_: Any) -> None:
        copy_run(self.folder, "test_batch_end")


class LastCheckpoint(ModelCheckpoint):
    """Copies the run's folder when the best checkpoint of the epoch has been written and the last one has not."""

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert self.dirpath is not None
        copy_run(Path(self.dirpath).parent, "between_best_and_last")
        super().on_train_epoch_end(trainer, pl_module)


class OldTimedCheckpoint(TimedCheckpoint):
    """Writes a checkpoint after each batch, an epoch's last one too, as deblurlab did until version 0.1.0."""

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        trainer.save_checkpoint(self.file, weights_only=False)
