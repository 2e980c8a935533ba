"""The user's own pairs of pictures, of any size, cut to whole patches."""

from collections.abc import Sequence

import numpy as np

from deblurlab.data.arrays import Integers
from deblurlab.data.pixels import dimensions
from deblurlab.data.sources.pair_source import PixelPair
from deblurlab.data.sources.patch_grids import covered_part, patch_grids
from deblurlab.data.sources.picture_files import FilePair


class PicturePairs:
    """A :class:`PairSource` of pairs of picture files. The two sides of a pair have one size, different pairs may not.

    Args:
        pairs: The files.
        patch: Height and width of a patch.

    Raises:
        ValueError: naming a picture that is smaller than a patch.
    """

    def __init__(self, pairs: Sequence[FilePair], *, patch: tuple[int, int]) -> None:
        self.pairs, self.patch = pairs, patch
        self.grids = patch_grids([pair.sharp for pair in pairs], patch)
        self.groups, self.open_groups = np.arange(len(pairs)), len(pairs)

    def read(self, frame: int, epoch: int) -> PixelPair:
        pair = self.pairs[frame]
        if (sizes := [dimensions(file) for file in (pair.blurred, pair.sharp)])[0] != sizes[1]:
            (height, width), (sharp_height, sharp_width) = sizes
            raise ValueError(f"{pair.blurred} is {width}x{height}, {pair.sharp} is {sharp_width}x{sharp_height}.")
        return PixelPair(*(covered_part(file, self.grids[frame], self.patch) for file in (pair.blurred, pair.sharp)))

    def name(self, frame: int) -> str:
        return self.pairs[frame].name

    def expect(self, frames: Integers) -> None:
        """Files on disk are not fetched ahead."""
