"""Losses of PyTorch, kornia and others, which reduce a batch to one number, as losses of each image."""

from typing import Literal, Protocol, overload, runtime_checkable

import torch
from torch import Tensor, nn

from deblurlab.interfaces import ContentLoss

# Large enough for losses that look at an image through windows.
_TRIAL_SIDE = 64


@runtime_checkable
class _Reducing(Protocol):
    """What the losses of PyTorch and kornia have: ``reduction="none"`` leaves the elements as they are."""

    reduction: str


class _Reduced(nn.Module):
    """A loss whose elements are reduced image by image."""

    def __init__(self, loss: nn.Module, reduction: Literal["mean", "sum"]) -> None:
        super().__init__()
        self.loss, self.reduce = loss, reduction

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        values: Tensor = self.loss(restored, sharp)
        each = values.flatten(1) if values.ndim > 1 else values[:, None]
        return each.sum(dim=1) if self.reduce == "sum" else each.mean(dim=1)


@overload
def per_image(loss: nn.Module) -> nn.Module: ...


@overload
def per_image(loss: ContentLoss) -> ContentLoss: ...


def per_image(loss: ContentLoss) -> ContentLoss:
    """A loss with one value per image.

    Args:
        loss: Takes restored and sharp images, (B, C, H, W). If it has ``reduction``, as losses of PyTorch and kornia
            have, that is set to "none", and its elements are averaged over each image, or added if it was "sum".

    Returns:
        The loss itself, if it has no ``reduction``.
    """
    if not isinstance(loss, nn.Module) or not isinstance(loss, _Reducing):
        return loss
    reduction: Literal["mean", "sum"] = "sum" if loss.reduction == "sum" else "mean"
    loss.reduction = "none"
    return _Reduced(loss, reduction)


def require_per_image(loss: ContentLoss) -> None:
    """Try a loss on two small images.

    Raises:
        ValueError: if it does not return one value per image.
    """
    trial = torch.rand(2, 3, _TRIAL_SIDE, _TRIAL_SIDE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        values = loss(trial, trial.flip(0))
    if not isinstance(values, Tensor) or values.shape != (2,):
        found = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(
            f"model.loss={type(loss).__name__} must return one value per image, (2,) for two images, and it returned "
            f"{found}: have it average over channels, height and width, or give it `reduction` as torch.nn.L1Loss has."
        )
