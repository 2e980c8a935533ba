"""Resumes the checkpoints that earlier versions of deblurlab wrote after an epoch's last batch."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

_VALIDATION = "epoch_loop.val_loop.batch_progress"


class FinishEpoch(Callback):
    """Validates after such a checkpoint is resumed, before the next epoch begins. Lightning would skip the validation.

    Lightning counts the progress of each loop. This callback changes the counts of such a checkpoint to those of a run
    that was killed in the first batch of the validation. Lightning resumes that by validating from the start.
    """

    def __init__(self) -> None:
        self._after_last_batch = False

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        loops = checkpoint["loops"]["fit_loop"]
        epoch, batches = loops["epoch_progress"]["current"], loops["epoch_loop.batch_progress"]
        for state in loops.get("combined_loader", []):
            state.setdefault("epoch", epoch["completed"])  # version 0.1.0 saved the number of batches alone
        within = epoch["ready"] > epoch["processed"]
        self._after_last_batch = within and batches["is_last_batch"] and batches["current"]["processed"] > 0
        if self._after_last_batch:
            for counts in (batches["total"], batches["current"]):
                counts["completed"] = counts["processed"]
            begun = {"ready": 1, "started": 1, "processed": 0, "completed": 0}
            loops[_VALIDATION] = {"total": begun, "current": dict(begun), "is_last_batch": False}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._after_last_batch:  # without a validation Lightning would ask for one more batch, and there is none
            assert trainer.fit_loop._data_fetcher is not None
            trainer.fit_loop._data_fetcher.done = True
            self._after_last_batch = False
