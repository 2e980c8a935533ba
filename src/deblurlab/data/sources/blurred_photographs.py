"""The user's own sharp photographs, cut to whole patches and blurred as they are read."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from deblurlab.data.blur.kernels import Kernel, apply_kernel, gaussian_kernel, shake_kernel
from deblurlab.data.sources.pair_source import PairSource, PixelPair
from deblurlab.data.sources.patch_grids import covered_part, patch_grids

BlurKind = Literal["gaussian", "shake", "both"]


class BlurredPhotographs(PairSource):
    """A :class:`PairSource` of sharp photographs. Each is blurred by a kernel drawn from (seed, epoch, photograph).

    Args:
        files: The photographs.
        patch: Height and width of a patch.
        blur: "gaussian" draws sigma uniformly from (0, ``sigma_max``). "shake" draws a camera's path whose length is
            uniform in (1, ``shake_max``). "both" draws either of them with the same chance.
        sigma_max: The largest sigma of the Gaussian, in pixels.
        shake_max: The longest camera path, in pixels.
        noise_max: The blurred photograph gets Gaussian noise whose standard deviation is drawn uniformly from
            (0, ``noise_max``), in 8-bit steps.
        seed: Seed of the draws.
        fixed: Draw the same blur in all epochs, as for validation and test.

    Raises:
        ValueError: If a photograph is smaller than a patch.
    """

    def __init__(
        self,
        files: Sequence[Path],
        *,
        patch: tuple[int, int],
        blur: BlurKind,
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
        self.patch, self.grids = patch, patch_grids(files, patch)
        self.groups, self.open_groups = np.arange(len(files)), len(files)

    def _kernel(self, rng: np.random.Generator) -> Kernel:
        kind = self.blur if self.blur != "both" else ("gaussian", "shake")[rng.integers(2)]
        if kind == "gaussian":
            return gaussian_kernel(rng.uniform(0, self.sigma_max))
        return shake_kernel(rng.uniform(1, self.shake_max), rng)

    def read(self, frame: int, epoch: int) -> PixelPair:
        sharp = covered_part(self.files[frame], self.grids[frame], self.patch)
        rng = np.random.default_rng((self.seed, 0 if self.fixed else epoch, frame))
        kernel = self._kernel(rng)
        if len(kernel) // 2 >= min(sharp.shape[:2]):
            height, width = sharp.shape[:2]
            raise ValueError(
                f"{self.files[frame]}, of which {width}x{height} pixels are used, is too small for a blur of "
                f"{len(kernel)}x{len(kernel)}: lower data.sigma_max or data.shake_max, or take the picture out."
            )
        blurred = apply_kernel(sharp, kernel)
        if self.noise_max:
            noise = rng.standard_normal(blurred.shape, dtype=np.float32) * np.float32(rng.uniform(0, self.noise_max))
            blurred = np.rint(blurred + noise).clip(0, 255).astype(np.uint8)
        return PixelPair(blurred, sharp)

    def name(self, frame: int) -> str:
        return self.files[frame].relative_to(self._folder).as_posix()
