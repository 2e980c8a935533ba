"""What a source of pairs is: the protocol that every source follows, and the pair that it reads."""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from deblurlab.data.arrays import Integers
from deblurlab.data.blur.windows import Window
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


@runtime_checkable
class BlursPatches(Protocol):
    """A source that blurs each patch by itself when it is cut out. Its :meth:`PairSource.read` gives sharp pictures."""

    def cut(self, pixels: PixelPair, window: Window, *, frame: int, epoch: int, number: int) -> PixelPair:
        """A part of a frame, blurred.

        Args:
            pixels: What was read of the frame.
            window: The part.
            frame: The number of the frame.
            epoch: The number of the epoch.
            number: A number that no other part of the epoch has. (epoch, number) determine the blur.
        """
        ...


def cut_out(source: PairSource, pixels: PixelPair, window: Window, *, frame: int, epoch: int, number: int) -> PixelPair:
    """A part of both sides of a pair, which is blurred now if the source does so; see :class:`BlursPatches`."""
    if isinstance(source, BlursPatches):
        return source.cut(pixels, window, frame=frame, epoch=epoch, number=number)
    part = np.s_[window.top : window.top + window.height, window.left : window.left + window.width]
    return PixelPair(pixels.blurred[part], pixels.sharp[part])


def patch_window(number: int, *, columns: int, size: tuple[int, int]) -> Window:
    """Where a patch of a frame lies.

    Args:
        number: Which patch, counted along the rows of the grid.
        columns: How many patches stand in a row of the grid.
        size: Height and width of a patch.
    """
    row, column = divmod(number, columns)
    return Window(row * size[0], column * size[1], *size)
