"""Adds the metrics of the current epoch, which Lightning leaves out, to checkpoints written within an epoch."""

from collections.abc import Mapping
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from deblurlab.callbacks.lightning_internals import add_training_sums, set_training_means, training_sums

_KEY = "epoch_so_far"


class EpochSoFar(Callback):
    """Makes the metrics of an epoch that is resumed in its middle cover the whole epoch.

    Checkpoints hold, under ``epoch_so_far``, the sums of the values that the batches have logged (``sums``) and the
    scores of the validations within the epoch (``scores``). With several processes, the sums are averaged over them, so
    that any number of processes can continue. This callback must precede those that read these metrics.
    """

    def __init__(self) -> None:
        self._sums: dict[str, dict[str, Tensor]] = {}
        self._scores: dict[str, Tensor] = {}

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        progress = trainer.fit_loop.epoch_progress.current
        if progress.ready > progress.processed:  # type: ignore[attr-defined]
            scores = {name: value for name, value in trainer.callback_metrics.items() if name.startswith("val/")}
            sums = {name: _mean(trainer, one) for name, one in (self._sums | training_sums(trainer)).items()}
            checkpoint[_KEY] = {"sums": sums, "scores": scores}

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        before = checkpoint.get(_KEY, {"sums": {}, "scores": {}})
        self._sums, self._scores = before["sums"], before["scores"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.callback_metrics.update(self._scores)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if self._sums:
            added = add_training_sums(trainer, self._sums)
            self._sums = {name: sums for name, sums in self._sums.items() if name not in added}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        set_training_means(trainer, self._sums)
        self._sums = {}


def _mean(trainer: Trainer, sums: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The mean over all processes."""
    return {state: trainer.strategy.reduce(value) for state, value in sums.items()}
