"""Stops a run that has lost its way, while there is still something to look at."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from deblurlab.files.whole_file import whole_file
from deblurlab.interfaces import Pair


class Divergence(Callback):
    """Stops training when a logged loss is no number any more, or beyond all reason, and saves the batch at hand.

    It looks whenever the step's values are logged, every ``log_every_n_steps``, as looking costs a transfer from
    the device; and at the end of each epoch, before its checkpoint.

    Args:
        folder: the run's folder; ``diverged.pt`` goes there, a dictionary of the batch's tensors, what was logged,
            the epoch and the step.
        limit: the largest size of a logged value that still is reasonable.

    Raises:
        ValueError: on divergence; says what grew, when, and how to go on.
    """

    def __init__(self, folder: str, limit: float = 1e5) -> None:
        self.file = Path(folder) / "diverged.pt"
        self.limit = limit

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Pair,
        batch_idx: int,
    ) -> None:
        self._batch = batch
        every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]  # Lightning sets it from outside
        if every and (trainer.fit_loop.total_batch_idx + 1) % every == 0:
            self._look(trainer, "_step")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._look(trainer, "_epoch")

    def _look(self, trainer: Trainer, suffix: str) -> None:
        logged = {name: value for name, value in trainer.callback_metrics.items() if name.endswith(suffix)}
        values = dict(zip(logged, torch.stack(list(logged.values())).tolist(), strict=True)) if logged else {}
        lost = {name: value for name, value in values.items() if not math.isfinite(value) or abs(value) > self.limit}
        if not lost:
            return
        tensors = {name: value.cpu() for name, value in self._batch._asdict().items() if isinstance(value, Tensor)}
        if trainer.is_global_zero:  # all hosts of a TPU pod slice take part in reading
            where = {"epoch": trainer.current_epoch + 1, "batch": trainer.fit_loop.batch_idx + 1}
            with whole_file(self.file) as partial:
                torch.save(tensors | {"logged": values} | where, partial)
        names = ", ".join(f"{name.removesuffix(suffix)} = {value:.3g}" for name, value in lost.items())
        raise ValueError(
            f"training diverged at batch {trainer.fit_loop.batch_idx + 1} of epoch {trainer.current_epoch + 1}: "
            f"{names}. The batch is in {self.file}. Start another run from the best weights of this one (weights=RUN) "
            "with a lower learning rate, or with trainer.gradient_clip_val for an autoencoder."
        )
