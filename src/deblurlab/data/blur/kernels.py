"""Blur kernels for whole pictures, applied on the host: Gaussian, and the random path of a hand-held camera."""

import numpy as np
import numpy.typing as npt
import scipy.signal

from deblurlab.data.arrays import Floats
from deblurlab.data.blur.gaussian import gaussian_kernels, kernel_size
from deblurlab.data.pixels import Pixels

# (K, K) non-negative weights that sum to 1; K is odd.
Kernel = Floats

# The number of positions of the camera during an exposure. A path is about four times as long as its bounding box at
# most, so one in a box of 120 pixels has no gaps yet.
_STEPS = 512


def gaussian_kernel(sigma: float) -> Kernel:
    """The kernel of OpenCV's 8-bit Gaussian blur of ``sigma`` pixels."""
    line = gaussian_kernels(np.array([sigma]), int(kernel_size(sigma)))[0] / 256
    return np.outer(line, line)


def shake_kernel(length: float, rng: np.random.Generator) -> Kernel:
    """The kernel of a shaking camera during one exposure, after Boracchi and Foi (2012), as in DeblurGAN.

    A point moves with inertia and random jerks. Now and then a big shake turns it around, and a small force pulls it
    towards its start. The path is scaled to ``length`` and drawn with bilinear weights.

    Args:
        length: The larger side of the path's bounding box in pixels.
        rng: The random number generator.

    Returns:
        The kernel. Its centre of mass is its centre, up to rounding, so that a sharp picture and its blurred one stay
        aligned.
    """
    return _drawn(_path(rng), length)


def _path(rng: np.random.Generator) -> npt.NDArray[np.complex128]:
    """The camera's positions in steps of length 1, as complex numbers: across + i down."""
    jerk, pull, turns = 0.07 * rng.random(), 2e-4 * rng.random(), 0.004 * rng.random()
    velocity = np.exp(2j * np.pi * rng.random())
    path = np.zeros(_STEPS, dtype=np.complex128)
    for step in range(1, _STEPS):
        if rng.random() < turns:
            velocity *= np.exp(1j * (np.pi + rng.random() - 0.5))
        velocity += jerk * (rng.standard_normal() + 1j * rng.standard_normal()) - pull * path[step - 1]
        velocity /= abs(velocity)
        path[step] = path[step - 1] + velocity
    return path


def _drawn(path: npt.NDArray[np.complex128], length: float) -> Kernel:
    """The kernel of a path that is scaled to ``length`` pixels and moved to the kernel's centre."""
    path = (path - path.mean()) * (length / max(np.ptp(path.real), np.ptp(path.imag)))
    radius = int(np.ceil(max(np.abs(path.real).max(), np.abs(path.imag).max())))
    position = np.stack([path.imag, path.real]) + radius  # (2, steps): row and column in the kernel
    low = np.floor(position).astype(np.int64)
    # A position between pixels is distributed over the four pixels around it with bilinear weights.
    kernel = np.zeros((2 * radius + 2, 2 * radius + 2))
    for down in (0, 1):
        for across in (0, 1):
            weight = 1 - np.abs(position - low - [[down], [across]])
            np.add.at(kernel, (low[0] + down, low[1] + across), weight.prod(axis=0))
    return kernel[:-1, :-1] / _STEPS  # the last row and column only have weights of 0


def apply_kernel(pixels: Pixels, kernel: Kernel) -> Pixels:
    """Convolve a picture with a kernel; borders are mirrored without repeating the edge pixel.

    Args:
        pixels: (H, W, 3) uint8; H and W are larger than half the kernel.
        kernel: (K, K).

    Returns:
        (H, W, 3) uint8, rounded.
    """
    radius = len(kernel) // 2
    blurred = np.empty_like(pixels)
    for channel in range(3):
        padded = np.pad(pixels[..., channel].astype(np.float64), radius, mode="reflect")
        exact = scipy.signal.fftconvolve(padded, kernel, mode="valid")
        blurred[..., channel] = np.rint(exact).clip(0, 255)
    return blurred
