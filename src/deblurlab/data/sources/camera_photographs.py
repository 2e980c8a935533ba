"""The user's own sharp photographs; each patch gets realistic camera blur when it is cut out."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deblurlab.data.blur.camera import CameraBlur
from deblurlab.data.blur.windows import Window
from deblurlab.data.sources.pair_source import PairSource, PixelPair
from deblurlab.data.sources.patch_grids import covered_part, patch_grids


class CameraPhotographs(PairSource):
    """A :class:`PairSource` that :class:`BlursPatches`, each by a draw from (seed, epoch, number of the patch).

    Args:
        files: The photographs.
        patch: Height and width of a patch.
        blur: The kinds of blur, and their ranges.
        seed: Seed of the draws.
        fixed: Draw the same blur in all epochs, as for validation and test.

    Raises:
        ValueError: If a photograph is smaller than a patch.
    """

    def __init__(
        self, files: Sequence[Path], *, patch: tuple[int, int], blur: CameraBlur, seed: int, fixed: bool
    ) -> None:
        self.files, self.blur, self.seed, self.fixed = files, blur, seed, fixed
        self._folder = Path(os.path.commonpath([file.parent for file in files]))
        self.patch, self.grids = patch, patch_grids(files, patch)
        self.groups, self.open_groups = np.arange(len(files)), len(files)

    def read(self, frame: int, epoch: int) -> PixelPair:
        sharp = covered_part(self.files[frame], self.grids[frame], self.patch)
        return PixelPair(sharp, sharp)

    def cut(self, pixels: PixelPair, window: Window, *, frame: int, epoch: int, number: int) -> PixelPair:
        rng = np.random.default_rng((self.seed, 0 if self.fixed else epoch, number))
        return PixelPair(*self.blur.pair(pixels.sharp, window, rng))

    def name(self, frame: int) -> str:
        return self.files[frame].relative_to(self._folder).as_posix()
