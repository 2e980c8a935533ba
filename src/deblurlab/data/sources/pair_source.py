"""What a source of pairs is: the protocol that every source follows, and the pair that it reads."""

from typing import NamedTuple, Protocol

import numpy as np

from deblurlab.data.arrays import Integers
from deblurlab.data.pixels import Pixels


class PixelPair(NamedTuple):
    """A decoded pair, at the size that it is trained at.

    Attributes:
        blurred, sharp: (H, W, 3) uint8, aligned pixel by pixel.
    """

    blurred: Pixels
    sharp: Pixels


class PairSource(Protocol):
    """Pairs of pictures, here called frames, that several threads can read in any order.

    Attributes:
        patch: Height and width of a patch.
        grids: (F, 2) rows and columns of patches in each frame. A frame is exactly that large.
        groups: (F,) a group number for each frame, from 0. Frames of one group are cheap to read together.
        open_groups: Over how many groups a training epoch should mix its frames.
    """

    patch: tuple[int, int]
    grids: Integers
    groups: Integers
    open_groups: int

    def read(self, frame: int, epoch: int) -> PixelPair:
        """Reads a frame.

        Args:
            frame: The number of the frame, from 0.
            epoch: The number of the epoch, for sources that draw a new blur in each.

        Raises:
            ValueError: naming the file, if it is broken.
        """
        ...

    def name(self, frame: int) -> str:
        """The name of a frame in tables and messages."""
        ...

    def expect(self, frames: Integers) -> None:
        """Tells the source the order in which frames will be read, in case it fetches them ahead."""
        ...


def cut_out(pair: PixelPair, number: int, *, columns: int, size: tuple[int, int]) -> PixelPair:
    """One patch of both sides of a pair.

    Args:
        pair: The pair.
        number: Which patch, counted along the rows of the grid.
        columns: How many patches stand in a row of the grid.
        size: Height and width of the patch.
    """
    (height, width), (row, column) = size, divmod(number, columns)
    window = np.s_[row * height : (row + 1) * height, column * width : (column + 1) * width]
    return PixelPair(pair.blurred[window], pair.sharp[window])
