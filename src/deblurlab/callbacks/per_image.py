"""The scores of each test image."""

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from deblurlab.interfaces import Evaluable, Pair
from deblurlab.loggers import Wandb


class PerImage(Callback):
    """Collects what the test step returns: after a test, ``scores`` has a column of N values for each score,
    named ``restored_ssim``, ``blurred_ssim`` and so on. W&B gets them as a table, with what is known of each image.
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
        for version, scores in outputs.items():
            # one transfer a version: every score of it, images where valid
            values = torch.stack(list(scores.values())).cpu()[:, batch.valid.cpu()].tolist()
            for name, column in zip(scores, values, strict=True):
                self.scores.setdefault(f"{version}_{name}", []).extend(column)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, Wandb):
                data = trainer.datamodule  # type: ignore[attr-defined]
                assert isinstance(data, Evaluable)
                columns = {"image": range(len(self.scores["restored_ssim"])), **data.labels("test"), **self.scores}
                logger.log_table("test/per_image", columns)
