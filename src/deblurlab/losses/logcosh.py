"""The study's content loss."""

import math

import torch
from torch import Tensor, nn


def log_cosh(error: Tensor) -> Tensor:
    r""":math:`\log(\cosh(e))` of each element: about :math:`e^2/2` near zero, :math:`|e| - \log 2` far away.

    The usual stable form, :math:`|e| + \log(1 + e^{-2|e|}) - \log 2`, subtracts two numbers near 0.69 when e
    is small and returns noise below e = 1e-3 in float32. Below 1 this uses :math:`\log(1 + 2\sinh^2(e/2))`,
    which keeps full relative precision.

    Args:
        error: any shape, any finite value.

    Returns:
        Values in [0, inf) of the same shape.
    """
    size = error.abs()
    near = torch.log1p(2 * torch.sinh(size.clamp(max=1) / 2).square())
    far = size + torch.log1p(torch.exp(-2 * size)) - math.log(2)
    return torch.where(size < 1, near, far)


class LogCosh(nn.Module):
    """Mean log-cosh of each image's error (after Keras' ``LogCosh``).

    Shape: two of (B, C, H, W) to (B,). The batch's loss is the mean of that.
    """

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        return log_cosh(restored - sharp).flatten(1).mean(dim=1)
