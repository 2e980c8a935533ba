"""The protocol of a source of pairs, and the pair that it reads."""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from deblurlab.data.arrays import Integers
from deblurlab.data.blur.windows import Window
from deblurlab.data.pixels import Pixels

# A patch of one pixel: such patches cover every picture, of whatever size. The network restores those pictures whole.
WHOLE_PICTURES = (1, 1)


class PixelPair(NamedTuple):
    """A decoded pair at its size in training.

    Attributes:
        blurred, sharp: (H, W, 3) uint8, aligned pixel by pixel.
    """

    blurred: Pixels
    sharp: Pixels


class PairSource(Protocol):
    """Pairs of pictures, here called frames, that several threads can read in any order.

    Attributes:
        patch: Height and width of a patch; ``WHOLE_PICTURES`` if pictures are not cut.
        grids: (F, 2), the numbers of rows and columns of patches in each frame, which cover it exactly.
        groups: (F,), the number of each frame's group, from 0. Frames of one group are cheap to read together.
        open_groups: The number of groups over which a training epoch should shuffle its frames.
    """

    patch: tuple[int, int]
    grids: Integers
    groups: Integers
    open_groups: int

    def read(self, frame: int, epoch: int) -> PixelPair:
        """Read a frame.

        Args:
            frame: The number of the frame, from 0.
            epoch: The number of the epoch, for sources that draw a new blur in each.

        Raises:
            ValueError: If the file is broken; the message names it.
        """
        ...

    def name(self, frame: int) -> str:
        """The name of a frame in tables and messages."""
        ...

    def expect(self, frames: Integers) -> None:
        """Announce the order in which frames will be read. A source that fetches nothing ahead need not define this."""
        return


@runtime_checkable
class BlursPatches(Protocol):
    """A source that blurs each patch separately when it is cut out, and whose ``read`` returns sharp pictures."""

    def cut(self, pixels: PixelPair, window: Window, *, frame: int, epoch: int, number: int) -> PixelPair:
        """Cut out a part of a frame and blur it.

        Args:
            pixels: The result of ``read`` for the frame.
            window: The part.
            frame: The number of the frame.
            epoch: The number of the epoch.
            number: A number that is unique among the parts of the epoch. (epoch, number) determine the blur.
        """
        ...


def cut_out(source: PairSource, pixels: PixelPair, window: Window, *, frame: int, epoch: int, number: int) -> PixelPair:
    """Cut out a part of both sides of a pair, and blur it if the source is one that :class:`BlursPatches`."""
    if isinstance(source, BlursPatches):
        return source.cut(pixels, window, frame=frame, epoch=epoch, number=number)
    part = np.s_[window.top : window.top + window.height, window.left : window.left + window.width]
    return PixelPair(pixels.blurred[part], pixels.sharp[part])


def network_grid(source: PairSource, grid: Integers) -> tuple[int, int]:
    """The number of rows and columns of patches in which the network restores a picture of a source's ``grid``, (2,).

    (1, 1) restores the picture itself.
    """
    return (1, 1) if source.patch == WHOLE_PICTURES else (int(grid[0]), int(grid[1]))


def patch_window(number: int, *, columns: int, size: tuple[int, int]) -> Window:
    """The window of a patch in its frame.

    Args:
        number: The number of the patch, counted along the rows of the grid.
        columns: The number of patches in a row of the grid.
        size: Height and width of a patch.
    """
    row, column = divmod(number, columns)
    return Window(row * size[0], column * size[1], *size)
