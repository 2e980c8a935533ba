"""A network trained to undo the blur by a content loss alone."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from lightning.pytorch.plugins import Precision
from lightning.pytorch.utilities import GradClipAlgorithmType
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from deblurlab.interfaces import ContentLoss, Pair
from deblurlab.tasks.restoration import Restoration


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
        loss: ContentLoss,
        optimizer: Callable[[Iterator[nn.Parameter]], Optimizer],
        scheduler: Callable[[Optimizer], LRScheduler] | None = None,
    ) -> None:
        super().__init__(network, loss)
        self._optimizer, self._scheduler = optimizer, scheduler

    def training_step(self, batch: Pair, batch_idx: int) -> Tensor:
        restored = self.restore(batch.blurred)
        with torch.autocast(restored.device.type, enabled=False):
            loss = self.loss(restored, batch.sharp).mean()
        self.log("train/loss", loss, on_step=True, on_epoch=True, batch_size=len(batch.sharp))
        return loss

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Log the norm of the gradient, before any clipping, where someone logs."""
        if self.trainer.loggers:
            gradients = [one.grad for one in self.network.parameters() if one.grad is not None]
            norm = torch.nn.utils.get_total_norm(gradients)
            self.log("train/grad_norm", norm, on_step=True, on_epoch=True, batch_size=1)

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip in bfloat16 too: Lightning 2.6 refuses a fused optimizer there as if gradients were scaled, which only
        float16's are (its issue 21435).
        """
        precision = self.trainer.precision_plugin
        if gradient_clip_val and getattr(precision, "scaler", None) is None:
            algorithm = GradClipAlgorithmType(gradient_clip_algorithm or "norm")
            Precision.clip_gradients(precision, optimizer, gradient_clip_val, algorithm)
        else:
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)

    def configure_optimizers(self) -> Any:
        optimizer = self.optimized(self._optimizer, self.network)
        if self._scheduler is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": self._scheduler(optimizer)}
