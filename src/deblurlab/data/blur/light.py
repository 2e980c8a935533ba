"""Linear light: what a sensor adds up. Pixels of 8 bits are the light's sRGB encoding."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from deblurlab.data.pixels import Pixels


def _decoded() -> npt.NDArray[np.float32]:
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


# (256,) the light that each value of a pixel stands for.
LIGHT = _decoded()


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
    light = light.clamp(0, 1)
    encoded = torch.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.ascontiguousarray((encoded * 255).round().byte().permute(1, 2, 0).numpy())
