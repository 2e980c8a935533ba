"""Linear light, which a sensor sums. Pixels of 8 bits are its sRGB encoding."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from deblurlab.data.pixels import Pixels


def to_light(pixels: Pixels) -> Tensor:
    """The light that 8-bit pixels stand for, by sRGB's transfer function (IEC 61966-2-1).

    Args:
        pixels: (H, W, 3).

    Returns:
        (3, H, W) float32 from 0, black, to 1, white.
    """
    return torch.from_numpy(LIGHT[pixels.transpose(2, 0, 1)])


def to_pixels(light: Tensor) -> Pixels:
    """The 8-bit pixels of light, rounded. What is brighter than white is white, as on a sensor that is full.

    Args:
        light: (3, H, W) float32.

    Returns:
        (H, W, 3).
    """
    return np.ascontiguousarray((srgb_encoded(light.clamp(0, 1)) * 255).round().byte().permute(1, 2, 0).numpy())


def srgb_encoded(light: Tensor) -> Tensor:
    """Light, not negative and of any shape, encoded by sRGB's transfer function, which goes on above white."""
    return torch.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def srgb_decoded(values: Tensor) -> Tensor:
    """What :func:`srgb_encoded` makes its argument of."""
    return torch.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


# (256,) the light that each value of a pixel stands for.
LIGHT: npt.NDArray[np.float32] = srgb_decoded(torch.arange(256, dtype=torch.float64) / 255).float().numpy()
