"""The effects of a sensor: it clips light that is too bright, counts photons (shot noise), and adds read noise."""

import numpy as np
import torch
from torch import Tensor

from deblurlab.data.blur.light import LIGHT

# A pixel with at least this light in all colours (an 8-bit value of 254) counts as clipped: it may have been brighter.
_CLIPPED = float(LIGHT[254])


def with_highlights(light: Tensor, gain: float) -> Tensor:
    """Make the white areas of a photograph brighter than white, as lamps and reflections are.

    A blur of the result is clipped by the sensor, so that a lamp draws a white streak; a blur of the clipped photograph
    would draw a grey one. Clipping the result gives back the photograph, whose pixels of 254 are white (255) then.

    Args:
        light: (3, H, W), the light of a photograph's 8-bit pixels.
        gain: The brightness that white areas get, where white is 1.
    """
    return torch.where(light.amin(dim=0) >= _CLIPPED, gain, light)


def read_noise(photons: float) -> float:
    """The standard deviation of the read noise of a pixel, for light where white is 1.

    It depends on the gain as in the fit of Brooks et al. (2019, "Unprocessing Images for Learned Raw Denoising") to
    real cameras: the logarithm of its variance is 2.18 times that of the shot noise at white, plus 1.20.

    Args:
        photons: The number of photons of a white pixel; the fewer, the higher the ISO.
    """
    return float(np.exp((2.18 * np.log(1 / photons) + 1.20) / 2))


def noisy(light: Tensor, *, photons: float, read: float, rng: np.random.Generator) -> Tensor:
    """Add a sensor's noise to light: a Poisson number of photons, and Gaussian read noise (Foi et al., 2008).

    Args:
        light: (3, H, W) light.
        photons: The number of photons of a white pixel. The variance of light x is x / photons.
        read: The standard deviation of the read noise.
        rng: The random number generator.
    """
    counted = rng.poisson(light.clamp(min=0).numpy() * photons).astype(np.float32)
    error = rng.standard_normal(counted.shape, dtype=np.float32)
    return torch.from_numpy(counted / np.float32(photons) + np.float32(read) * error)
