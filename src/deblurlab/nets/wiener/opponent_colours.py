"""Brightness and two differences of colours, which have little in common in natural images."""

import torch
from torch import Tensor

# Rows: brightness, red against blue, green against both. Orthonormal, so that white noise stays white.
_ROOTS = (3**-0.5, 2**-0.5, 6**-0.5)


def opponent(images: Tensor) -> Tensor:
    """RGB images, (B, 3, H, W), as brightness, red against blue, and green against both; the change is orthonormal."""
    red, green, blue = images.unbind(dim=1)
    first, second, third = _ROOTS
    return torch.stack((first * (red + green + blue), second * (red - blue), third * (red - 2 * green + blue)), dim=1)


def rgb(images: Tensor) -> Tensor:
    """The inverse of :func:`opponent`."""
    brightness, red_blue, green = (root * image for root, image in zip(_ROOTS, images.unbind(dim=1), strict=True))
    return torch.stack((brightness + red_blue + green, brightness - 2 * green, brightness - red_blue + green), dim=1)
