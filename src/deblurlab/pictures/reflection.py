"""Continues pictures beyond their edges by their reflection."""

import numpy as np
import numpy.typing as npt


def reflected(positions: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    """The pixels at some positions of a row or a column that is continued by its reflection, repeatedly if it is short.

    Args:
        positions: (N,); those below 0 are before the first pixel.
        size: The number of pixels, which are at the positions from 0 to ``size - 1``.

    Returns:
        (N,), the index of the pixel at each position.
    """
    period = max(1, 2 * (size - 1))  # 0 1 2 3 2 1 | 0 1 2 ... for a size of 4
    within = positions % period
    indices: npt.NDArray[np.int64] = np.minimum(within, period - within)
    return indices
