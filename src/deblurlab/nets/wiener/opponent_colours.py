"""Brightness and two colour differences, which are nearly uncorrelated in natural images."""

import torch
from torch import Tensor

# The factors that make brightness, red - blue and red - 2 green + blue orthonormal, so that white noise stays white.
_NORMS = (3**-0.5, 2**-0.5, 6**-0.5)


def opponent(images: Tensor) -> Tensor:
    """Convert RGB images, (B, 3, H, W), to brightness, red against blue, and green against both; orthonormally."""
    red, green, blue = images.unbind(dim=1)
    first, second, third = _NORMS
    return torch.stack((first * (red + green + blue), second * (red - blue), third * (red - 2 * green + blue)), dim=1)


def rgb(images: Tensor) -> Tensor:
    """The inverse of :func:`opponent`."""
    brightness, red_blue, green = (norm * image for norm, image in zip(_NORMS, images.unbind(dim=1), strict=True))
    return torch.stack((brightness + red_blue + green, brightness - 2 * green, brightness - red_blue + green), dim=1)
