"""Turns losses that reduce a batch to one number, such as those of PyTorch and kornia, into losses per image."""

from typing import Literal, Protocol, overload, runtime_checkable

import torch
from torch import Tensor, nn

from deblurlab.interfaces import ContentLoss

# Height and width of the images on which a loss is tried: large enough for losses with windows.
_TRIAL_SIDE = 64


@runtime_checkable
class _Reducing(Protocol):
    """A loss like those of PyTorch and kornia, which returns all elements with ``reduction="none"``."""

    reduction: str


class _Reduced(nn.Module):
    """A loss whose elements are averaged or added for each image separately."""

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
    """Make a loss return one value per image.

    Args:
        loss: Takes restored and sharp images, (B, C, H, W). If it has the attribute ``reduction``, as losses of PyTorch
            and kornia do, this function sets it to "none".

    Returns:
        ``loss`` itself if it has no ``reduction``. Otherwise a loss that averages the elements over each image, or adds
        them if ``reduction`` was "sum".
    """
    if not isinstance(loss, nn.Module) or not isinstance(loss, _Reducing):
        return loss
    reduction: Literal["mean", "sum"] = "sum" if loss.reduction == "sum" else "mean"
    loss.reduction = "none"
    return _Reduced(loss, reduction)


def require_per_image(loss: ContentLoss) -> None:
    """Try a loss on two small images.

    Raises:
        ValueError: If it does not return one value per image.
    """
    trial = torch.rand(2, 3, _TRIAL_SIDE, _TRIAL_SIDE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        values = loss(trial, trial.flip(0))
    if not isinstance(values, Tensor) or values.shape != (2,):
        found = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        name = type(loss).__name__ if isinstance(loss, nn.Module) else "a function"  # Hydra wraps it in one of its own
        raise ValueError(
            f"model.loss, {name}, must return one value per image, (2,) for two images, and it returned {found}: have "
            "it average over channels, height and width, or give it `reduction` as torch.nn.L1Loss has."
        )
