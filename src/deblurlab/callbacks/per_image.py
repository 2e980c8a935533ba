"""Collects the scores of each test image."""

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from deblurlab.callbacks.lightning_internals import datamodule, gather_rows
from deblurlab.interfaces import Dashboard, Evaluable, Pair


class PerImage(Callback):
    """Collects the scores that the test step returns, and logs them to each dashboard as a table with the labels.

    Attributes:
        scores: After a test, one column per score, named ``restored_ssim``, ``blurred_ssim`` and so on, with one value
            per test image; also ``estimated_sigma`` if the network estimates the blur. Empty before the test.
    """

    def __init__(self) -> None:
        self.scores: dict[str, list[float]] = {}

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Pair,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        assert isinstance(outputs, Mapping)
        valid = gather_rows(trainer, batch.valid).cpu()
        for version, scores in outputs.items():
            # one transfer from the device per version; the rows that only fill up the batch are left out
            values = gather_rows(trainer, torch.stack(list(scores.values())), dim=1).cpu()[:, valid].tolist()
            for name, column in zip(scores, values, strict=True):
                self.scores.setdefault(f"{version}_{name}", []).extend(column)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, Dashboard):
                data = datamodule(trainer)
                assert isinstance(data, Evaluable)
                columns = {"image": range(len(self.scores["restored_ssim"])), **data.labels("test"), **self.scores}
                logger.log_table("test/per_image", columns)
