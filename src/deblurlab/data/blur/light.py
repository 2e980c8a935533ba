"""Converts between 8-bit sRGB pixels and linear light, which a sensor adds up."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from deblurlab.data.pixels import Pixels


def to_light(pixels: Pixels) -> Tensor:
    """Convert 8-bit pixels to linear light by sRGB's transfer function (IEC 61966-2-1).

    Args:
        pixels: (H, W, 3).

    Returns:
        (3, H, W) float32 from 0, black, to 1, white.
    """
    return torch.from_numpy(LIGHT[pixels.transpose(2, 0, 1)])


def to_pixels(light: Tensor) -> Pixels:
    """Convert linear light to 8-bit pixels, rounded. Light above white is clipped, as by a saturated sensor.

    Args:
        light: (3, H, W) float32.

    Returns:
        (H, W, 3).
    """
    return np.ascontiguousarray((srgb_encoded(light.clamp(0, 1)) * 255).round().byte().permute(1, 2, 0).numpy())


def srgb_encoded(light: Tensor) -> Tensor:
    """Apply sRGB's transfer function to light, not negative and of any shape; it is continued above white."""
    return torch.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def srgb_decoded(values: Tensor) -> Tensor:
    """The inverse of :func:`srgb_encoded`."""
    return torch.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


# (256,), the light of each 8-bit value.
LIGHT: npt.NDArray[np.float32] = srgb_decoded(torch.arange(256, dtype=torch.float64) / 255).float().numpy()
