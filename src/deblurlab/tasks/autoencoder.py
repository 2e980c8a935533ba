"""A network trained to undo the blur by a content loss alone."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from deblurlab.metrics.image import PerImage
from deblurlab.pair import Pair
from deblurlab.tasks.base import Restoration


class Autoencoder(Restoration):
    """Trains ``network`` on the mean of ``loss``.

    Args:
        network: (B, 3, H, W) in [0, 1] to the same shape.
        loss: restored and sharp images to one value an image, (B,).
        optimizer: parameters to an optimizer.
        scheduler: an optimizer to its learning rate schedule, stepped once an epoch; None keeps the rate.
    """

    def __init__(
        self,
        *,
        network: nn.Module,
        loss: PerImage,
        optimizer: Callable[[Iterator[nn.Parameter]], Optimizer],
        scheduler: Callable[[Optimizer], LRScheduler] | None = None,
    ) -> None:
        super().__init__(loss)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._optimizer, self._scheduler = optimizer, scheduler

    def restore(self, blurred: Tensor) -> Tensor:
        restored: Tensor = self.network(blurred.contiguous(memory_format=torch.channels_last))
        return restored.float()

    def training_step(self, batch: Pair, batch_idx: int) -> Tensor:
        restored = self.restore(batch.blurred)
        with torch.autocast(restored.device.type, enabled=False):
            loss = self.loss(restored, batch.sharp).mean()
        self.log("train/loss", loss, on_step=True, on_epoch=True, batch_size=len(batch.sharp))
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = self._optimizer(self.network.parameters())
        if self._scheduler is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": self._scheduler(optimizer)}
