"""Where frames come from, one pair at a time: the protocol, and frames as the data set's authors publish them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from deblurlab.data.batches.epoch_plan import Integers
from deblurlab.data.pixels import Pixels, decode, resize
from deblurlab.data.sources.layouts import FramePair


class Frame(NamedTuple):
    """A pair at the size it is trained at: two of (H, W, 3) uint8."""

    blurred: Pixels
    sharp: Pixels


class Source(Protocol):
    """Frame pairs that can be read in any order, by several threads at once.

    Attributes:
        patch: height and width of a patch.
        grids: (F, 2) rows and columns of patches in each frame, which is exactly that large.
        groups: (F,) frames of one number are cheap to read together; numbered from 0.
        open_groups: over how many groups frames should be mixed.
    """

    patch: tuple[int, int]
    grids: Integers
    groups: Integers
    open_groups: int

    def read(self, frame: int, epoch: int) -> Frame:
        """Frame number ``frame``; ``epoch`` matters to sources that draw a blur.

        Raises:
            ValueError: naming the file, if it is broken.
        """
        ...

    def name(self, frame: int) -> str:
        """What to call a frame."""
        ...

    def expect(self, frames: Integers) -> None:
        """Notice of the order in which frames will be read, for sources that fetch ahead."""
        ...


def divide(size: tuple[int, int], grid: tuple[int, int]) -> tuple[int, int]:
    """The patch's height and width when a frame of ``size`` is cut to ``grid`` rows and columns.

    Raises:
        ValueError: if the grid does not divide the frame.
    """
    if min(*size, *grid) < 1 or size[0] % grid[0] or size[1] % grid[1]:
        raise ValueError(f"data.size={list(size)} cannot be cut to data.grid={list(grid)} equal patches.")
    return size[0] // grid[0], size[1] // grid[1]


def read_file(path: Path) -> Pixels:
    """The pixels of an image file, (H, W, 3) uint8; ValueError naming it if it is broken."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}).") from error
    return decode(data, str(path))


def at_size(blurred: Pixels, sharp: Pixels, size: tuple[int, int], *, antialias: bool, name: str) -> Frame:
    """Both sides of a pair resized alike to ``size`` (height, width).

    Raises:
        ValueError: if the sides differ in size or the resize would distort them.
    """
    height, width = blurred.shape[:2]
    if blurred.shape != sharp.shape:
        raise ValueError(
            f"{name}: the blurred frame is {width}x{height}, the sharp one {sharp.shape[1]}x{sharp.shape[0]}."
        )
    if abs(width * size[0] - height * size[1]) > max(width, height):
        raise ValueError(
            f"{name} is {width}x{height}: resized to {size[1]}x{size[0]} it would be distorted. "
            "Set data.size=[height,width] to its own aspect ratio."
        )
    return Frame(*(resize(side, size, antialias=antialias) for side in (blurred, sharp)))


class RawFrames:
    """Decodes and resizes the published files anew each time."""

    def __init__(
        self, pairs: Sequence[FramePair], *, size: tuple[int, int], grid: tuple[int, int], antialias: bool
    ) -> None:
        self.pairs, self.size, self.antialias = pairs, size, antialias
        self.patch = divide(size, grid)
        self.grids = np.tile(np.array(grid, dtype=np.int64), (len(pairs), 1))
        self.groups = np.arange(len(pairs))
        self.open_groups = len(pairs)

    def read(self, frame: int, epoch: int) -> Frame:
        pair = self.pairs[frame]
        blurred, sharp = read_file(pair.blurred), read_file(pair.sharp)
        return at_size(blurred, sharp, self.size, antialias=self.antialias, name=str(pair.blurred))

    def name(self, frame: int) -> str:
        return self.pairs[frame].name

    def expect(self, frames: Integers) -> None:
        """Files on disk need no notice."""
