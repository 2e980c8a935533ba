"""The training of a network that undoes the blur, by a content loss alone."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import torch
from lightning.pytorch.plugins import MixedPrecision
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from deblurlab.interfaces import ContentLoss, Pair, pyramid
from deblurlab.processes.rank import is_first
from deblurlab.tasks.optimization import make_epoch_schedule, make_optimizer, make_step_schedule
from deblurlab.tasks.restoration import Restoration

log = logging.getLogger(__name__)


class Autoencoder(Restoration):
    """Trains a network to minimise the mean of a content loss over the images of a batch.

    Args:
        network: See :class:`deblurlab.interfaces.Network`. If it returns several scales, see ``all_scales``.
        loss: Takes restored and sharp images, (B, 3, H, W), and returns one value per image, (B,).
        optimizer: Takes the network's parameters and returns an optimizer of them.
        scheduler: Takes the optimizer and returns its learning rate schedule, which is stepped once per epoch. None
            keeps the rate constant.
        step_scheduler: Takes the optimizer and ``total_steps``, the number of optimizer steps of the training, and
            returns a schedule that is stepped after each of them.
        all_scales: Train all scales of a network that returns several: the loss is the mean over the scales, of which
            the smaller ones are compared with the sharp images at their size. Otherwise only the first is trained.

    Raises:
        ValueError: If both kinds of schedule are given.
    """

    def __init__(
        self,
        *,
        network: nn.Module,
        loss: ContentLoss,
        optimizer: Callable[[Iterator[nn.Parameter]], Optimizer],
        scheduler: Callable[[Optimizer], LRScheduler] | None = None,
        step_scheduler: Callable[..., LRScheduler] | None = None,
        all_scales: bool = False,
    ) -> None:
        super().__init__(network, loss)
        if scheduler is not None and step_scheduler is not None:
            raise ValueError(
                "model.scheduler and model.step_scheduler would both set the learning rate: leave one out."
            )
        self._optimizer, self._scheduler, self._step_scheduler = optimizer, scheduler, step_scheduler
        self.all_scales, self._told = all_scales, False

    def training_step(self, batch: Pair, batch_idx: int) -> Tensor:
        scales = self.scales(batch.blurred)
        if not self.all_scales:
            if len(scales) > 1 and not self._told and is_first():
                self._told = True
                log.warning(
                    "%s returns %d scales, of which only the first is trained: model.all_scales=true trains all",
                    type(self.network).__name__,
                    len(scales),
                )
            scales = scales[:1]
        with torch.autocast(batch.sharp.device.type, enabled=False):
            sharp = pyramid(self.network, batch.sharp, scales) if self.all_scales else [batch.sharp]
            loss, parts = self.mean_over_scales(scales, sharp)
        scalars = {f"train/{name}": value for name, value in ({"loss": loss} | parts).items()}
        self.log_means(scalars)
        return loss

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Log the norm of the gradient as it is before any clipping. It is not computed if there is no logger."""
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
        """Clip the gradients, in bfloat16 without Lightning, which would refuse.

        Under mixed precision Lightning 2.6 refuses to clip for a fused optimizer, because such an optimizer undoes the
        scaling of the gradients itself. But only float16 scales them; in bfloat16 there is nothing to undo (Lightning's
        issue 21435).
        """
        precision = self.trainer.precision_plugin
        scaled = isinstance(precision, MixedPrecision) and precision.scaler is not None
        if scaled or not gradient_clip_val:
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
            return
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        by_value = gradient_clip_algorithm == "value"
        clip = torch.nn.utils.clip_grad_value_ if by_value else torch.nn.utils.clip_grad_norm_
        clip(weights, gradient_clip_val)

    def configure_optimizers(self) -> Any:
        optimizer = make_optimizer(self._optimizer, self.network)
        if self._step_scheduler is not None:
            schedule = make_step_schedule(self._step_scheduler, optimizer, self.trainer)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
        if self._scheduler is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": make_epoch_schedule(self._scheduler, optimizer)}
