"""panel.png: Blurred | Restored | Sharp of the same validation images, every few epochs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from deblurlab.interfaces import Pair
from deblurlab.loggers import Wandb
from deblurlab.run import figures


class Panel(Callback):
    """Draws some images, spread over the validation set, to ``folder/panel.png`` and to TensorBoard and W&B.

    Args:
        folder: the run's folder.
        every_n_epochs: the panel is drawn after epoch 1, every ``every_n_epochs`` and the last.
        images: how many rows.
    """

    def __init__(self, folder: str, every_n_epochs: int = 5, images: int = 6) -> None:
        self.file = Path(folder) / "panel.png"
        self.every_n_epochs, self.images = every_n_epochs, images

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._shown: list[dict[str, Tensor]] = []

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Pair,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        epoch = trainer.current_epoch + 1
        if not (epoch == 1 or epoch % self.every_n_epochs == 0 or epoch == trainer.max_epochs):
            return
        size, batches = len(batch.valid), int(sum(trainer.num_val_batches))
        wanted = [int((number + 0.5) / self.images * size * batches) for number in range(self.images)]
        rows = sorted({row - batch_idx * size for row in wanted if row // size == batch_idx})
        if not rows:
            return
        assert isinstance(outputs, Tensor)
        columns = {"Blurred": batch.blurred, "Restored": outputs, "Sharp": batch.sharp}
        valid = batch.valid[rows].cpu()  # others fill the batch up, or stand for broken frames
        self._shown.append({title: images.detach()[rows].cpu()[valid] for title, images in columns.items()})

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not any(len(shown["Sharp"]) for shown in self._shown):
            return
        shown = {title: torch.cat([one[title] for one in self._shown]) for title in self._shown[0]}
        if not trainer.is_global_zero:  # but it took part in the reading: on a TPU pod slice that takes all hosts
            return
        figure = figures.panel(shown)
        figures.save(figure, self.file)
        picture = figures.pixels(figure)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image("val/panel", picture, trainer.global_step, dataformats="HWC")
            elif isinstance(logger, Wandb):
                logger.log_picture("val/panel", picture)
