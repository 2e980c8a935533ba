"""Losses made of other losses."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.checks import require
from deblurlab.losses.reduction import per_image


class WeightedSum(nn.Module):
    """A weighted sum of losses. Its parts are logged by their names.

    Args:
        losses: The losses by name. Each takes restored and sharp images, (B, 3, H, W); see :func:`per_image`.
        weights: The factor of each loss, by the same names.

    Raises:
        ValueError: If the names differ, or there are none.

    Shape: two (B, C, H, W) batches to (B,).
    """

    def __init__(self, *, losses: Mapping[str, nn.Module], weights: Mapping[str, float]) -> None:
        super().__init__()
        if losses.keys() != weights.keys() or not losses:
            raise ValueError(
                f"model.loss: losses has {', '.join(losses) or 'none'} and weights has {', '.join(weights) or 'none'}: "
                "each loss needs a weight of the same name."
            )
        self.losses = nn.ModuleDict({name: per_image(loss) for name, loss in losses.items()})
        self.weights = dict(weights)

    def parts(self, restored: Tensor, sharp: Tensor) -> dict[str, Tensor]:
        """The values of each loss without its weight, (B,) each, by name."""
        return {name: loss(restored, sharp) for name, loss in self.losses.items()}

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of what :meth:`parts` returns, (B,)."""
        return torch.stack([self.weights[name] * part for name, part in parts.items()]).sum(0)

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        return self.total(self.parts(restored, sharp))


class MultiScale(nn.Module):
    """The mean of a loss over several scales of the images: full size, and means of 2x2, 4x4, ... pixels.

    Args:
        loss: Takes restored and sharp images, (B, 3, H, W); see :func:`per_image`.
        scales: The number of scales, at least 1, which is the loss itself.

    Raises:
        ValueError: If ``scales`` is not a whole number of at least 1.

    Shape: two (B, C, H, W) batches to (B,). Where a size is odd, the next scale leaves out the last row or column.
    """

    def __init__(self, *, loss: nn.Module, scales: int) -> None:
        super().__init__()
        require.whole_number("scales of MultiScale", scales, at_least=1)
        self.loss, self.scales = per_image(loss), scales

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        losses = [self.loss(restored, sharp)]
        for _ in range(self.scales - 1):
            restored, sharp = F.avg_pool2d(restored, 2), F.avg_pool2d(sharp, 2)
            losses.append(self.loss(restored, sharp))
        return torch.stack(losses).mean(0)
