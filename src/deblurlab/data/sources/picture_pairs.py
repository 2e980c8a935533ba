"""Pairs of pictures of any size, cut to whole patches."""

from collections.abc import Sequence

import numpy as np

from deblurlab.data.sources.pair_source import PairSource, PixelPair
from deblurlab.data.sources.patch_grids import covered_part, patch_grids
from deblurlab.data.sources.picture_files import FilePair, size_of_pair


class PicturePairs(PairSource):
    """A :class:`PairSource` of pairs of picture files. The sizes of the pairs may differ.

    Args:
        pairs: The files.
        patch: Height and width of a patch.

    Raises:
        ValueError: If a picture is smaller than a patch, or the two sides of a pair differ in size.
    """

    def __init__(self, pairs: Sequence[FilePair], *, patch: tuple[int, int]) -> None:
        self.pairs, self.patch = pairs, patch
        for pair in pairs:
            size_of_pair(pair)
        self.grids = patch_grids([pair.sharp for pair in pairs], patch)
        self.groups, self.open_groups = np.arange(len(pairs)), len(pairs)

    def read(self, frame: int, epoch: int) -> PixelPair:
        pair = self.pairs[frame]
        return PixelPair(*(covered_part(file, self.grids[frame], self.patch) for file in (pair.blurred, pair.sharp)))

    def name(self, frame: int) -> str:
        return self.pairs[frame].name
