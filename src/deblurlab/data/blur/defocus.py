"""Defocus: a point out of focus is a disc, the image of the lens's opening."""

import numpy as np
import scipy.signal
import torch
from torch import Tensor

from deblurlab.data.blur.kernels import Kernel

_FINE = 8  # the number of points per pixel, in each direction, with which a disc is drawn


def disc(radius: float, *, rim: float = 0.0, rings: float = 0.0) -> Kernel:
    """The image of a point out of focus, the bokeh disc: the lens's opening, lit unevenly by aberrations.

    Args:
        radius: The radius in pixels, not negative. 0 is in focus.
        rim: -1 for a disc that is bright in its middle, 0 for an even one, 1 for one with a bright rim. Spherical
            aberration causes both, on either side of the focus.
        rings: The depth of the fine rings that come from the moulds of aspherical lenses, from 0 to 1.

    Returns:
        (K, K), symmetric, with the sum 1.
    """
    reach = int(np.ceil(radius))
    size = 2 * reach + 1
    place = (np.arange(size * _FINE) + 0.5) / _FINE - size / 2
    distance = np.hypot(place, place[:, None])
    inside = np.clip((radius - distance) * _FINE + 0.5, 0, 1)
    part = np.minimum(distance / max(radius, 1e-6), 1)
    lit = inside * (1 + rim * (2 * part**2 - 1)) * (1 + rings * np.cos(8 * np.pi * part))
    kernel: Kernel = lit.reshape(size, _FINE, size, _FINE).sum(axis=(1, 3))
    if radius < 1 / _FINE:
        kernel[reach, reach] = 1.0
    kernel /= kernel.sum()
    return kernel


def convolved(light: Tensor, kernel: Kernel) -> Tensor:
    """Convolve light with a kernel. Beyond the edges it is dark, so the light needs a margin of half the kernel.

    Args:
        light: (3, H, W).
        kernel: (K, K).

    Returns:
        (3, H, W).
    """
    weights = kernel.astype(np.float32)[None]
    return torch.from_numpy(scipy.signal.fftconvolve(light.numpy(), weights, mode="same", axes=(1, 2)))
