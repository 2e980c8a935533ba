"""Estimates from the edges of a picture whether it has hardly any blur, without a sharp reference."""

import numpy as np
import numpy.typing as npt

from deblurlab.pictures import Samples

# The share of the steps between neighbouring pixels that counts as edges.
_EDGES = 0.02
# Edges must be steeper than the median step, which may be noise, by this factor.
_STANDS_OUT = 6.0
# The share of its steepness that an edge of two pixels keeps. Photographs keep 0.3 to 0.63, and after a Gaussian blur
# of one pixel 0.75 and more; sharp frames of GOPRO and REDS keep 0.54 to 0.68, blurred ones 0.73 and more.
_TWO_PIXELS = 2 / 3
# The smallest height and width for which there is an estimate.
_SMALLEST = 16


def hardly_blurred(pixels: Samples) -> bool:
    """Whether the edges of a picture are narrower than two pixels, in both directions.

    The picture is blurred once more, over three pixels. The measure is the share of their steepness that its edges keep
    (after Crete et al., "The blur effect", 2007)::

        an edge over one pixel     0 0 0 1 1 1     keeps 1/3
        an edge over two pixels    0 0 0 ½ 1 1     keeps 2/3
        a wide edge                                keeps nearly 1

    The edges are the steepest 2 % of the steps between neighbouring pixels. They must be six times as steep as the
    median step, because noise could be taken for edges otherwise. If there are no such edges, the result is False.

    Args:
        pixels: (H, W, 3) of any type and scale.
    """
    if min(pixels.shape[:2]) < _SMALLEST:
        return False
    grey = pixels.mean(axis=2, dtype=np.float32)
    return all(_kept_steepness(lines) < _TWO_PIXELS for lines in (grey, grey.T))


def _kept_steepness(lines: npt.NDArray[np.float32]) -> float:
    """The share of their steepness that the edges along the rows of ``lines`` keep; 1 if there are no edges."""
    change = np.diff(lines, axis=1)
    step = np.abs(change[:, 1:-1])
    after = np.abs(change[:, :-2] + change[:, 1:-1] + change[:, 2:]) / 3
    steepest = np.quantile(step, 1 - _EDGES)
    if steepest <= _STANDS_OUT * np.median(step):
        return 1.0
    edges = step >= steepest
    return float(after[edges].sum() / step[edges].sum())
