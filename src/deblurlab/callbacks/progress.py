"""The progress of a run on the terminal: a bar within the epoch, and one line per epoch."""

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from tqdm import tqdm

from deblurlab.callbacks.lightning_internals import images_in_batch
from deblurlab.interfaces import Dashboard, Pair
from deblurlab.metrics.scores import HEADLINE_SCORES

log = logging.getLogger(__name__)


def duration(seconds: float) -> str:
    """A time in words, such as ``45 s``, ``12 min`` or ``3 h 20 min``."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.1g} s" if 0 < seconds < 1 else f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def speed(images: int, seconds: float, batches: int) -> str:
    """The speed of training in words: images per second, or seconds per batch if that is below 10 images/s."""
    per_second = images / seconds
    return f"{per_second:.0f} images/s" if per_second >= 10 else f"{seconds / batches:.2g} s per batch"


class Progress(Callback):
    """Shows the progress of a training and of a test.

    Where standard error is a terminal, a bar shows the images per second within the epoch. After each epoch a log line
    gives its losses and scores, its speed, the time of its validation and the time left, and after the test a line
    gives the test's time. Dashboards get the speed of training in each epoch.
    """

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._images = self._batches_done = 0
        self._epoch_start = self._run_start = self._train_seconds = 0.0
        self._evaluation_start = self._validation_seconds = 0.0
        self._epochs_done = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._run_start = self._epoch_start = time.monotonic()
        self._epochs_done = 0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._epoch_start, self._train_seconds, self._validation_seconds = time.monotonic(), 0.0, 0.0
        self._images = self._batches_done = 0
        if trainer.is_global_zero and sys.stderr.isatty():
            self._open(f"epoch {_of_all(trainer).strip()}", trainer.num_training_batches)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Pair,
        batch_idx: int,
    ) -> None:
        images = images_in_batch(trainer, batch)
        self._images += images
        self._batches_done += 1
        self._train_seconds = time.monotonic() - self._epoch_start - self._validation_seconds
        self._advance(images)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._evaluation_start = time.monotonic()
        self._close()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._validation_seconds += time.monotonic() - self._evaluation_start

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._close()
        self._epochs_done += 1
        now = time.monotonic()
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        words = [f"epoch {_of_all(trainer)}"]
        # a task that logs it only once per step or per epoch leaves out the suffix
        if (loss := metrics.get("train/loss_epoch", metrics.get("train/loss"))) is not None:
            words.append(f"loss {loss:.3e}")
        words.extend(
            f"{'val loss' if score.is_loss else score.name} {score.plain(metrics[name])}"
            for score in HEADLINE_SCORES
            if (name := f"val/{score.name}") in metrics
        )
        if "train/gap_epoch" in metrics:  # by how much a critic scores sharp images above restored ones
            words.append(f"gap {metrics['train/gap_epoch']:.3g}")
        seconds = self._train_seconds or now - self._epoch_start
        if self._batches_done:  # none, if a run is resumed after an epoch's last batch
            words.append(speed(self._images, seconds, self._batches_done))
        if self._validation_seconds:
            words.append(f"validated in {duration(self._validation_seconds)}")
        if (most := _most_epochs(trainer)) is not None:
            left = most - trainer.current_epoch - 1
            words.append(f"{duration(left * (now - self._run_start) / self._epochs_done)} left")
        log.info("  ".join(words))
        for logger in trainer.loggers:
            if isinstance(logger, Dashboard):
                logger.log_beside({"train/images_per_second": self._images / seconds})

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self._epochs_done and trainer.current_epoch == trainer.max_epochs:
            log.info(f"trainer.max_epochs={trainer.max_epochs} is reached already; raise it to continue training")

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._evaluation_start = time.monotonic()
        if trainer.is_global_zero and sys.stderr.isatty():
            self._open("test", int(sum(trainer.num_test_batches)))

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Pair,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._advance(images_in_batch(trainer, batch))

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._close()
        log.info(f"tested in {duration(time.monotonic() - self._evaluation_start)}")

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._close()

    def _open(self, title: str, batches: int | float) -> None:
        self._batches = int(batches)
        self._bar = tqdm(desc=title, unit=" images", leave=False, dynamic_ncols=True)

    def _advance(self, images: int) -> None:
        if self._bar is not None:
            self._bar.total = self._batches * images
            self._bar.update(images)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _most_epochs(trainer: Trainer) -> int | None:
    """The number of epochs to train; None for ``trainer.max_epochs=-1``, which trains until something else ends it."""
    return trainer.max_epochs if trainer.max_epochs is not None and trainer.max_epochs >= 0 else None


def _of_all(trainer: Trainer) -> str:
    """The number of the epoch, and the number of all epochs if it is known, such as ``3/20``."""
    number, most = f"{trainer.current_epoch + 1:>3}", _most_epochs(trainer)
    return number if most is None else f"{number}/{most}"
