"""Blur kernels for whole pictures: Gaussian, and the random path of a hand-held camera."""

import numpy as np
import numpy.typing as npt
import scipy.signal

from deblurlab.data.blur.gaussian import gaussian_kernels, kernel_size
from deblurlab.data.pixels import Pixels

# Positions of the camera during an exposure: more than the longest path has pixels.
_STEPS = 512

Kernel = npt.NDArray[np.float64]


def gaussian_kernel(sigma: float) -> Kernel:
    """The (K, K) kernel of OpenCV's 8-bit Gaussian blur; sums to 1."""
    line = gaussian_kernels(np.array([sigma]), int(kernel_size(sigma)))[0] / 256
    return np.outer(line, line)


def shake_kernel(length: float, rng: np.random.Generator) -> Kernel:
    """The path of a shaking camera during one exposure, after Boracchi and Foi (2012), as DeblurGAN draws it.

    A point moves with inertia and random jerks; now and then a big shake turns it around, and a small pull
    holds it near its start. The path is scaled to ``length`` and drawn with bilinear weights, its centre of
    mass on the kernel's centre: a sharp picture and its blurred one stay aligned.

    Args:
        length: the larger side of the path's bounding box in pixels.
        rng: of the draw.

    Returns:
        (K, K) non-negative, K odd, sums to 1; its centre of mass is the centre, to rounding.
    """
    jerk, pull, turns = 0.07 * rng.random(), 2e-4 * rng.random(), 0.004 * rng.random()
    velocity = np.exp(2j * np.pi * rng.random())
    path = np.zeros(_STEPS, dtype=np.complex128)
    for step in range(1, _STEPS):
        if rng.random() < turns:
            velocity *= np.exp(1j * (np.pi + rng.random() - 0.5))
        velocity += jerk * (rng.standard_normal() + 1j * rng.standard_normal()) - pull * path[step - 1]
        velocity /= abs(velocity)
        path[step] = path[step - 1] + velocity
    path = (path - path.mean()) * (length / max(np.ptp(path.real), np.ptp(path.imag)))
    radius = int(np.ceil(max(np.abs(path.real).max(), np.abs(path.imag).max())))
    position = np.stack([path.imag, path.real]) + radius
    low = np.floor(position).astype(np.int64)
    kernel = np.zeros((2 * radius + 2, 2 * radius + 2))
    for down in (0, 1):
        for across in (0, 1):
            weight = 1 - np.abs(position - low - [[down], [across]])
            np.add.at(kernel, (low[0] + down, low[1] + across), weight.prod(axis=0))
    return kernel[:-1, :-1] / _STEPS


def blur(pixels: Pixels, kernel: Kernel) -> Pixels:
    """(H, W, 3) uint8 convolved with a (K, K) kernel: borders reflected at the edge, rounded to uint8."""
    radius = len(kernel) // 2
    blurred = np.empty_like(pixels)
    for channel in range(3):
        padded = np.pad(pixels[..., channel].astype(np.float64), radius, mode="reflect")
        exact = scipy.signal.fftconvolve(padded, kernel, mode="valid")
        blurred[..., channel] = np.rint(exact).clip(0, 255)
    return blurred
