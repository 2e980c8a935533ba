"""Draws panel.png, Blurred | Restored | Sharp of the same validation images, every few epochs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from deblurlab.callbacks.lightning_internals import datamodule, gather_rows, images_in_batch
from deblurlab.checks import require
from deblurlab.interfaces import Dashboard, Pair, WholePicture, as_scales
from deblurlab.run import figures
from deblurlab.run.run_folder import RunFolder


class Panel(Callback):
    """Draws some images, spread evenly over the validation set, to ``panel.png`` and to each dashboard.

    The scores of each image are below it. If the data is patches of a photograph, the whole photograph is drawn instead
    (not on a TPU, which would have to compile the network for another size).

    Args:
        folder: The run's folder, in which ``panel.png`` is written.
        every_n_epochs: The panel is drawn after the first epoch, after every ``every_n_epochs`` and after the last.
        images: The number of images, one per row.

    Raises:
        ValueError: If a number is less than 1.
    """

    def __init__(self, folder: str, every_n_epochs: int = 5, images: int = 6) -> None:
        for name, value in (("every_n_epochs", every_n_epochs), ("images", images)):
            require.whole_number(f"callbacks.panel.{name}", value, at_least=1)
        self.file = RunFolder(Path(folder)).panel_picture
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
        size, batches = images_in_batch(trainer, batch), int(sum(trainer.num_val_batches))
        # divide the validation set into as many equal parts as the panel has images, and take the middle of each
        wanted = [int((number + 0.5) / self.images * size * batches) for number in range(self.images)]
        rows = sorted({row - batch_idx * size for row in wanted if row // size == batch_idx})
        if not rows:
            return
        assert isinstance(outputs, Tensor)
        columns = {"Blurred": batch.blurred, "Restored": outputs, "Sharp": batch.sharp}
        # rows that only fill up the batch, or stand in for broken frames, are not shown
        valid = gather_rows(trainer, batch.valid)[rows].cpu()
        self._shown.append(
            {title: gather_rows(trainer, images.detach())[rows].cpu()[valid] for title, images in columns.items()}
        )

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not any(len(shown["Sharp"]) for shown in self._shown):
            return
        shown = {title: torch.cat([one[title] for one in self._shown]) for title in self._shown[0]}
        # on a TPU pod slice all hosts have to take part in reading the images above; one of them draws
        if not trainer.is_global_zero:
            return
        photograph = _whole_picture(trainer, pl_module)
        shown = photograph or shown
        captions = {title: figures.captions(images.float(), shown["Sharp"]) for title, images in shown.items()}
        figure = figures.panel(shown, captions, side=4.5 if photograph else 2.0)
        figures.save(figure, self.file)
        picture = figures.pixels(figure)
        for logger in trainer.loggers:
            if isinstance(logger, Dashboard):
                logger.log_picture("val/panel", picture, step=trainer.global_step)


def _whole_picture(trainer: Trainer, task: LightningModule) -> dict[str, Tensor] | None:
    """The photograph that the data was cut from, blurred, restored and sharp; None if there is none to show."""
    data = datamodule(trainer)
    if not isinstance(data, WholePicture) or task.device.type == "xla":
        return None
    pair = data.whole_picture()
    with torch.inference_mode(), trainer.precision_plugin.forward_context():
        restored = as_scales(task.network(pair.blurred.to(task.device)))[0]  # type: ignore[operator]
    return {"Blurred": pair.blurred, "Restored": restored.float().cpu(), "Sharp": pair.sharp}
