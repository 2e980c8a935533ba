"""The factor by which a Gaussian blur weakens each frequency of an 8-bit image."""

from typing import NamedTuple

import torch
from torch import Tensor

from deblurlab.nets.wiener.cosine_transform import cosines

_ONE = 256  # the kernels of 8-bit images are whole numbers of 1/256


class Kernels(NamedTuple):
    """Gaussian kernels of a batch.

    Attributes:
        taps: (B, R + 1), the weights of the middle pixel and of the R pixels on one side of it; all 2 R + 1 sum to 1.
        slopes: (B, R + 1), their derivatives with respect to sigma.
    """

    taps: Tensor
    slopes: Tensor


def gaussian_radius(sigma: float) -> int:
    """The radius of OpenCV's kernel for 8-bit images, in pixels: half of ``round(6 * sigma + 1) | 1``."""
    return round(6 * sigma + 1) // 2


def gaussian_taps(sigma: Tensor, radius: int) -> Kernels:
    """The kernels with which OpenCV blurs 8-bit images: truncated, and rounded to multiples of 1/256.

    The gradient with respect to sigma is that of the kernels before rounding (straight-through).

    Args:
        sigma: (B,), standard deviations in pixels.
        radius: R, at least the radius of every kernel.
    """
    sigma = sigma.clamp(min=0.1)[:, None]  # below 0.28, rounding leaves the middle pixel only
    offset = torch.arange(radius + 1, device=sigma.device).type_as(sigma)
    inside = offset <= torch.floor(torch.round(6 * sigma.detach() + 1) / 2)
    pixels = _pixels(offset)
    weights = torch.exp(-offset.square() / (2 * sigma.square())) * inside
    taps = weights / (weights * pixels).sum(dim=1, keepdim=True)
    spread = offset.square() - (taps * pixels * offset.square()).sum(dim=1, keepdim=True)
    return Kernels(taps=taps + (_rounded(taps.detach()) - taps.detach()), slopes=taps * spread / sigma**3)


def _pixels(offset: Tensor) -> Tensor:
    """The number of pixels at each distance from the middle: one at distance 0, two at all others."""
    return torch.where(offset > 0, 2.0, 1.0).type_as(offset)


def _rounded(taps: Tensor) -> Tensor:
    """Round kernels as OpenCV does: a tap's rounding error is added to the next tap inwards; the middle completes 1."""
    error, rounded = torch.zeros_like(taps[:, 0]), []
    for tap in reversed((taps * _ONE).unbind(dim=1)[1:]):
        exact = tap + error
        rounded.append(torch.round(exact))
        error = exact - rounded[-1]
    side = torch.stack(rounded[::-1], dim=1)
    middle = _ONE - 2 * side.sum(dim=1, keepdim=True)
    return torch.cat((middle, side), dim=1) / _ONE


def transfer(taps: Tensor, length: int) -> Tensor:
    """The factors by which symmetric kernels multiply the coefficients of a line's DCT-I.

    Args:
        taps: (B, R + 1), the weights of the middle pixel and of those on one side of it.
        length: N, the number of pixels in the line.

    Returns:
        (B, N), in the order of the frequencies.
    """
    offset = torch.arange(taps.shape[1], device=taps.device).type_as(taps)
    return (taps * _pixels(offset)) @ cosines(taps.shape[1], length, taps)
