"""Whether there is hardly any blur in a picture, estimated from its edges, without its sharp side."""

import numpy as np
import numpy.typing as npt

from deblurlab.pictures import Samples

# The share of the steps between neighbouring pixels that counts as edges.
_EDGES = 0.02
# Edges must stand out of the other steps, which may be noise, by this factor.
_STANDS_OUT = 6.0
# What an edge of two pixels keeps of its steepness. Photographs keep 0.3 to 0.63, and after a Gaussian blur of one
# pixel 0.75 and more; of the frames of GOPRO and REDS, sharp ones keep 0.54 to 0.68 and blurred ones 0.73 and more.
_TWO_PIXELS = 2 / 3
# Fewer pixels than this say nothing.
_SMALLEST = 16


def hardly_blurred(pixels: Samples) -> bool:
    """Whether the edges of a picture are narrower than two pixels, in both directions.

    A picture is blurred once more, over three pixels, and the estimate is how much of their steepness its edges keep
    (the idea of Crete et al., "The blur effect", 2007)::

        an edge over one pixel     0 0 0 1 1 1     keeps 1/3
        an edge over two pixels    0 0 0 ½ 1 1     keeps 2/3
        a wide edge                                keeps nearly 1

    The edges are the steepest 2 % of the steps between neighbouring pixels, and must be six times as steep as the
    median: in a noisy picture noise would pass for edges. Then, and in a picture without edges, the answer is False.

    Args:
        pixels: (H, W, 3) of any type and scale.
    """
    if min(pixels.shape[:2]) < _SMALLEST:
        return False
    grey = pixels.mean(axis=2, dtype=np.float32)
    return all(_kept_steepness(lines) < _TWO_PIXELS for lines in (grey, grey.T))


def _kept_steepness(lines: npt.NDArray[np.float32]) -> float:
    """How much of their steepness the edges across the rows of ``lines`` keep; 1 if there are none."""
    change = np.diff(lines, axis=1)
    step = np.abs(change[:, 1:-1])
    after = np.abs(change[:, :-2] + change[:, 1:-1] + change[:, 2:]) / 3
    steepest = np.quantile(step, 1 - _EDGES)
    if steepest <= _STANDS_OUT * np.median(step):
        return 1.0
    edges = step >= steepest
    return float(after[edges].sum() / step[edges].sum())
