"""What a sensor does to light: it clips what is too bright, counts photons (shot noise), and adds read noise."""

import numpy as np
import torch
from torch import Tensor

from deblurlab.data.blur.light import LIGHT

# From this light on, the 8-bit value 254, in all colours, a photograph does not tell how bright the light was.
_CLIPPED = float(LIGHT[254])


def with_highlights(light: Tensor, gain: float) -> Tensor:
    """Makes what a photograph shows as white brighter than white, as lamps and reflections are.

    A blur then spreads much light, and the sensor clips what is left: a lamp draws a white streak, where a blur of
    the clipped photograph would draw a grey one. Clipped, the result is the photograph as it was.

    Args:
        light: (3, H, W) light, of a photograph's 8-bit pixels.
        gain: How bright what is white becomes, where white is 1.
    """
    return torch.where(light.amin(dim=0) >= _CLIPPED, gain, light)


def read_noise(photons: float) -> float:
    """The standard deviation of the error of reading a pixel, for light where white is 1.

    It follows from the gain as on the cameras that Brooks et al. (2019, "Unprocessing Images for Learned Raw
    Denoising") fitted: the logarithm of its variance is 2.18 times that of the shot noise's at white, plus 1.20.

    Args:
        photons: How many photons make white; the fewer, the higher the ISO.
    """
    return float(np.exp((2.18 * np.log(1 / photons) + 1.20) / 2))


def noisy(light: Tensor, *, photons: float, read: float, rng: np.random.Generator) -> Tensor:
    """Light as a sensor counts it: a Poisson number of photons, and an error of reading (Foi et al., 2008).

    Args:
        light: (3, H, W) light.
        photons: How many photons make white. The variance of light x is x / photons.
        read: The standard deviation of the error of reading.
        rng: Where the random numbers come from.
    """
    counted = rng.poisson(light.clamp(min=0).numpy() * photons).astype(np.float32)
    error = rng.standard_normal(counted.shape, dtype=np.float32)
    return torch.from_numpy(counted / np.float32(photons) + np.float32(read) * error)
