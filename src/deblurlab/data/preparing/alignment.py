"""Compares two pictures of one scene: their alignment, and their amount of detail."""

from typing import NamedTuple

import numpy as np

from deblurlab.data.arrays import Floats
from deblurlab.data.pixels import Pixels

# The largest shift that is searched, in pixels.
REACH = 8


class Alignment(NamedTuple):
    """The alignment of a blurred picture with its sharp one.

    Attributes:
        shift: The number of rows and columns by which it lies further down and to the right than the sharp one.
        gain: The decrease of the mean squared difference, in dB, if the shift is undone.
        likeness: The correlation of the two when the shift is undone, from -1 to 1.
    """

    shift: tuple[int, int]
    gain: float
    likeness: float


def grey(pixels: Pixels) -> Floats:
    """The mean of the channels, (H, W)."""
    mean: Floats = pixels.mean(axis=2)
    return mean


def detail(pixels: Pixels) -> float:
    """The mean squared Laplacian, which blur lowers."""
    values = grey(pixels)
    laplacian = 4 * values[1:-1, 1:-1] - values[:-2, 1:-1] - values[2:, 1:-1] - values[1:-1, :-2] - values[1:-1, 2:]
    return float(np.square(laplacian).mean())


def best_shift(blurred: Floats, sharp: Floats) -> Alignment:
    """Find the shift, of up to :data:`REACH` pixels, at which the blurred picture fits the sharp one best.

    The sum of squared differences at a shift is expanded to ::

        sum (sharp - blurred)^2  =  sum sharp^2  -  2 sum sharp * blurred  +  sum blurred^2

    The first sum, over a window of the sharp picture, is a difference of running sums. The second sum is a correlation,
    which one FFT gives for all shifts. The third one is the same for all shifts.

    Args:
        blurred: (H, W), see :func:`grey`.
        sharp: (H, W).
    """
    reach = min(REACH, (min(sharp.shape) - 1) // 4)
    middle = blurred[reach : blurred.shape[0] - reach, reach : blurred.shape[1] - reach]
    mean = sharp.mean()
    middle, whole = middle - mean, sharp - mean  # large means would cost precision
    size = [int(length) for length in whole.shape]
    correlation = np.fft.irfft2(np.fft.rfft2(whole) * np.conj(np.fft.rfft2(middle, size)), size)
    correlation = correlation[: 2 * reach + 1, : 2 * reach + 1]
    sums = np.pad(np.square(whole), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    height, width = middle.shape
    top, left = np.arange(2 * reach + 1)[:, None], np.arange(2 * reach + 1)[None]
    power = sums[top + height, left + width] - sums[top, left + width] - sums[top + height, left] + sums[top, left]
    error = (power - 2 * correlation + np.square(middle).sum()).clip(min=1e-6)
    row, column = np.unravel_index(error.argmin(), error.shape)
    gain = 10 * np.log10(error[reach, reach] / error[row, column])
    likeness = correlation[row, column] / np.sqrt(max(power[row, column] * np.square(middle).sum(), 1e-6))
    return Alignment((reach - int(row), reach - int(column)), float(gain), float(likeness))
