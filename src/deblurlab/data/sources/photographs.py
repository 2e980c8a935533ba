"""Pictures of any size, cut to whole patches: sharp photographs blurred on the fly, or pairs as they are."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from deblurlab.data.batches.epoch_plan import Integers
from deblurlab.data.blur.kernels import Kernel, blur, gaussian_kernel, shake_kernel
from deblurlab.data.pixels import Pixels, dimensions
from deblurlab.data.sources.frames import Frame, Source, read_file
from deblurlab.data.sources.layouts import FramePair

Blur = Literal["gaussian", "shake", "both"]


def grid(file: Path, patch: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of whole patches in a picture; only its header is read.

    Raises:
        ValueError: naming the picture, if it has none or is no picture.
    """
    height, width = dimensions(file)
    if height < patch[0] or width < patch[1]:
        raise ValueError(
            f"{file} is {width}x{height}, smaller than data.patch={list(patch)} (height, width): "
            "lower data.patch or take the picture out."
        )
    return height // patch[0], width // patch[1]


def _grids(files: Sequence[Path], patch: tuple[int, int]) -> Integers:
    """Rows and columns of whole patches in each picture, (F, 2)."""
    return np.array([grid(file, patch) for file in files], dtype=np.int64).reshape(-1, 2)


def _covered(file: Path, grid: Integers, patch: tuple[int, int]) -> Pixels:
    """The part of a picture that its whole patches cover, from the top left corner."""
    pixels = read_file(file)
    height, width = grid * patch
    if pixels.shape[0] < height or pixels.shape[1] < width:
        raise ValueError(f"{file} says behind its pixels that it lies on its side. Save it upright.")
    return pixels[:height, :width]


class PicturePairs:
    """Blurred and sharp pictures of any size."""

    def __init__(self, pairs: Sequence[FramePair], *, patch: tuple[int, int]) -> None:
        self.pairs, self.patch = pairs, patch
        self.grids = _grids([pair.sharp for pair in pairs], patch)
        self.groups, self.open_groups = np.arange(len(pairs)), len(pairs)

    def read(self, frame: int, epoch: int) -> Frame:
        pair = self.pairs[frame]
        if (sizes := [dimensions(file) for file in (pair.blurred, pair.sharp)])[0] != sizes[1]:
            (height, width), (sharp_height, sharp_width) = sizes
            raise ValueError(f"{pair.blurred} is {width}x{height}, {pair.sharp} is {sharp_width}x{sharp_height}.")
        return Frame(*(_covered(file, self.grids[frame], self.patch) for file in (pair.blurred, pair.sharp)))

    def name(self, frame: int) -> str:
        return self.pairs[frame].name

    def expect(self, frames: Integers) -> None:
        """Files on disk need no notice."""


class BlurredPhotographs:
    """Sharp photographs, each blurred by a kernel drawn from (seed, epoch, photograph).

    Args:
        files: the photographs.
        patch: height and width of a patch.
        blur: "gaussian", of sigma ~ U(0, ``sigma_max``); "shake", a camera's path of length
            ~ U(1, ``shake_max``); "both", either with the same chance.
        sigma_max: in pixels.
        shake_max: in pixels.
        noise_max: the blurred photograph gets Gaussian noise of a standard deviation ~ U(0, ``noise_max``),
            in 8-bit steps.
        seed: of the draws.
        fixed: draw one blur for all epochs: for validation and test.
    """

    def __init__(
        self,
        files: Sequence[Path],
        *,
        patch: tuple[int, int],
        blur: Blur,
        sigma_max: float,
        shake_max: float,
        noise_max: float,
        seed: int,
        fixed: bool,
    ) -> None:
        self.files = files
        self._folder = Path(os.path.commonpath([file.parent for file in files]))
        self.blur, self.sigma_max, self.shake_max, self.noise_max = blur, sigma_max, shake_max, noise_max
        self.seed, self.fixed = seed, fixed
        self.patch, self.grids = patch, _grids(files, patch)
        self.groups, self.open_groups = np.arange(len(files)), len(files)

    def _kernel(self, rng: np.random.Generator) -> Kernel:
        kind = self.blur if self.blur != "both" else ("gaussian", "shake")[rng.integers(2)]
        if kind == "gaussian":
            return gaussian_kernel(rng.uniform(0, self.sigma_max))
        return shake_kernel(rng.uniform(1, self.shake_max), rng)

    def read(self, frame: int, epoch: int) -> Frame:
        sharp = _covered(self.files[frame], self.grids[frame], self.patch)
        rng = np.random.default_rng((self.seed, 0 if self.fixed else epoch, frame))
        kernel = self._kernel(rng)
        if len(kernel) // 2 >= min(sharp.shape[:2]):
            raise ValueError(f"{self.files[frame]} is too small for a blur of {len(kernel)} pixels.")
        blurred = blur(sharp, kernel)
        if self.noise_max:
            noise = rng.standard_normal(blurred.shape, dtype=np.float32) * np.float32(rng.uniform(0, self.noise_max))
            blurred = np.rint(blurred + noise).clip(0, 255).astype(np.uint8)
        return Frame(blurred, sharp)

    def name(self, frame: int) -> str:
        return self.files[frame].relative_to(self._folder).as_posix()

    def expect(self, frames: Integers) -> None:
        """Files on disk need no notice."""


class Joined:
    """The frames of several sources with patches of one size, one source after the other."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources, self.patch = sources, sources[0].patch
        counts = [len(source.groups) for source in sources]
        self._starts = np.cumsum([0, *counts])
        self.grids = np.concatenate([source.grids for source in sources])
        self.groups, self.open_groups = np.arange(sum(counts)), sum(counts)

    def _find(self, frame: int) -> tuple[Source, int]:
        index = int(np.searchsorted(self._starts, frame, side="right")) - 1
        return self.sources[index], frame - int(self._starts[index])

    def read(self, frame: int, epoch: int) -> Frame:
        source, own = self._find(frame)
        return source.read(own, epoch)

    def name(self, frame: int) -> str:
        source, own = self._find(frame)
        return source.name(own)

    def expect(self, frames: Integers) -> None:
        """Files on disk need no notice."""
