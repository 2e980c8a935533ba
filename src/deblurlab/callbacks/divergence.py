"""Stops a run whose loss has diverged, and saves the batch at which it did."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from deblurlab.callbacks.lightning_internals import gather_rows, is_logged
from deblurlab.checks.command_line import assignment
from deblurlab.files.whole_file import whole_file
from deblurlab.interfaces import Pair
from deblurlab.run.run_folder import RunFolder


class Divergence(Callback):
    """Stops the training when a logged value is not finite or absurdly large, and saves the current batch.

    It checks each step whose values are logged (every ``trainer.log_every_n_steps``), because reading a value costs a
    transfer from the device. It also checks at the end of each epoch, before a checkpoint of diverged weights could
    replace a good one.

    The file ``diverged.pt`` holds a dictionary: the tensors of the batch by name, ``logged`` (the values by name),
    ``epoch`` and ``batch`` (both counted from 1).

    Args:
        folder: The run's folder, in which ``diverged.pt`` is written.
        limit: The largest absolute value that is not considered diverged.

    Raises:
        ValueError: If the training has diverged; the message says which value, when, and how to continue.
    """

    def __init__(self, folder: str, limit: float = 1e5) -> None:
        self.folder = RunFolder(Path(folder))
        self.limit = limit

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Pair,
        batch_idx: int,
    ) -> None:
        self._batch, self._number = batch, batch_idx + 1
        if is_logged(trainer):
            self._check(trainer, "_step")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._check(trainer, "_epoch")

    def _check(self, trainer: Trainer, suffix: str) -> None:
        """Raise if one of the logged values whose names end in ``suffix`` has diverged."""
        logged = {name: value for name, value in trainer.callback_metrics.items() if name.endswith(suffix)}
        # stacked, so that there is one transfer from the device instead of one per value
        values = dict(zip(logged, torch.stack(list(logged.values())).tolist(), strict=True)) if logged else {}
        diverged = {name: one for name, one in values.items() if not math.isfinite(one) or abs(one) > self.limit}
        if not diverged:
            return
        # all processes take part in reading the batch; then one of them writes it
        fields = {name: value for name, value in self._batch._asdict().items() if isinstance(value, Tensor)}
        tensors = {name: gather_rows(trainer, value).cpu() for name, value in fields.items()}
        epoch = trainer.current_epoch + 1
        if trainer.is_global_zero:
            with whole_file(self.folder.diverged_file) as partial:
                torch.save(tensors | {"logged": values, "epoch": epoch, "batch": self._number}, partial)
        names = ", ".join(f"{name.removesuffix(suffix)} = {value:.3g}" for name, value in diverged.items())
        best = (
            f" from the best weights of this one ({assignment('weights', self.folder)})"
            if self.folder.best_checkpoint.exists()
            else ""
        )
        raise ValueError(
            f"training diverged at batch {self._number} of epoch {epoch}: {names}. The batch is in "
            f"{self.folder.diverged_file}. Start another run{best} with a lower learning rate, or with "
            "trainer.gradient_clip_val for an autoencoder."
        )
