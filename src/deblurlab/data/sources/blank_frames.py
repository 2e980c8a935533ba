"""Blank frames that replace those on a disk, for uses that need only their number and size."""

import numpy as np

from deblurlab.data.arrays import Integers
from deblurlab.data.sources.pair_source import PairSource, PixelPair


class BlankFrames(PairSource):
    """Black pairs: see :class:`~deblurlab.data.sources.pair_source.PairSource`.

    Args:
        count: The number of frames.
        patch: Height and width of a patch.
        grid: The number of rows and columns of patches in each frame.
    """

    open_groups = 1

    def __init__(self, count: int, *, patch: tuple[int, int], grid: tuple[int, int]) -> None:
        self.patch = patch
        self.grids: Integers = np.tile(np.array(grid, dtype=np.int64), (count, 1))
        self.groups: Integers = np.arange(count, dtype=np.int64)

    def read(self, frame: int, epoch: int) -> PixelPair:
        """A black pair."""
        height, width = self.grids[frame] * self.patch
        black = np.zeros((height, width, 3), dtype=np.uint8)
        return PixelPair(black, black)

    def name(self, frame: int) -> str:
        """The frame's number."""
        return str(frame)
