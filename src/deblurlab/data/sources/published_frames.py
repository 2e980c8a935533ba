"""Video frames as the data set's authors publish them, decoded and resized again each time they are read."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from deblurlab.data.pixels import Pixels, decode_file, resize
from deblurlab.data.sources.pair_source import PairSource, PixelPair
from deblurlab.data.sources.patch_grids import patch_size
from deblurlab.data.sources.picture_files import FilePair, size_of_pair


def resized_pair(blurred: Pixels, sharp: Pixels, size: tuple[int, int], *, antialias: bool, name: str) -> PixelPair:
    """Resize both sides of a pair.

    Args:
        blurred: (H, W, 3) uint8.
        sharp: (H, W, 3) uint8.
        size: The new height and width.
        antialias: See :func:`deblurlab.data.pixels.resize`.
        name: The name of the pair in an error.

    Raises:
        ValueError: If the sides differ in size or the resize would distort them.
    """
    height, width = blurred.shape[:2]
    if blurred.shape != sharp.shape:
        raise ValueError(
            f"{name}: the blurred frame is {width}x{height}, the sharp one {sharp.shape[1]}x{sharp.shape[0]}."
        )
    _require_aspect((height, width), size, name)
    return PixelPair(*(resize(side, size, antialias=antialias) for side in (blurred, sharp)))


def require_sizes(pairs: Sequence[FilePair], size: tuple[int, int], *, threads: int) -> None:
    """Read the headers of all pairs, so that a pair of two sizes is found before hours of training.

    Args:
        pairs: The files.
        size: The height and width to which they will be resized.
        threads: The number of files that are read at the same time.

    Raises:
        ValueError: If the sides of a pair differ in size, the resize would distort them, or a file is not a picture.
            The message names the files.
    """
    with ThreadPoolExecutor(threads) as pool:
        for pair, found in zip(pairs, pool.map(size_of_pair, pairs), strict=True):
            _require_aspect(found, size, str(pair.blurred))


def _require_aspect(found: tuple[int, int], size: tuple[int, int], name: str) -> None:
    (height, width), (new_height, new_width) = found, size
    if abs(width * new_height - height * new_width) > max(width, height):  # more than rounding to whole pixels explains
        raise ValueError(
            f"{name} is {width}x{height}: resized to {new_width}x{new_height} it would be distorted. "
            "Set data.size=[height,width] to its own aspect ratio."
        )


class PublishedFrames(PairSource):
    """A :class:`PairSource` of published files.

    Args:
        pairs: The files.
        size: Height and width to which frames are resized.
        grid: The numbers of rows and columns of patches in a frame.
        antialias: See :func:`deblurlab.data.pixels.resize`.
    """

    def __init__(
        self, pairs: Sequence[FilePair], *, size: tuple[int, int], grid: tuple[int, int], antialias: bool
    ) -> None:
        self.pairs, self.size, self.antialias = pairs, size, antialias
        self.patch = patch_size(size, grid)
        self.grids = np.tile(np.array(grid, dtype=np.int64), (len(pairs), 1))
        self.groups, self.open_groups = np.arange(len(pairs)), len(pairs)

    def read(self, frame: int, epoch: int) -> PixelPair:
        pair = self.pairs[frame]
        blurred, sharp = decode_file(pair.blurred), decode_file(pair.sharp)
        return resized_pair(blurred, sharp, self.size, antialias=self.antialias, name=str(pair.blurred))

    def name(self, frame: int) -> str:
        return self.pairs[frame].name
