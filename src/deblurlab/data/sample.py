"""Photographs that come with scikit-image: data for a first run, without a download."""

from collections.abc import Callable
from typing import Any

import numpy as np
import skimage.data
import torch
from torch import Tensor

from deblurlab.data.module import BlurredImages, Split

_PHOTOGRAPHS: dict[Split, tuple[Callable[[], Any], ...]] = {
    "train": (skimage.data.astronaut, skimage.data.coffee, lambda: skimage.data.stereo_motorcycle()[0]),
    "val": (skimage.data.rocket,),
    "test": (skimage.data.chelsea,),
}


class Sample(BlurredImages):
    """Five colour photographs of scikit-image cut to square patches, split by photograph.

    Args:
        patch: side of a patch in pixels.
        batch_size, sigma_max, fixed_blur, seed, workers: see :class:`BlurredImages`.
    """

    def __init__(
        self,
        *,
        patch: int = 48,
        batch_size: int = 32,
        sigma_max: float = 3.0,
        fixed_blur: bool = False,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        super().__init__(batch_size=batch_size, sigma_max=sigma_max, fixed_blur=fixed_blur, seed=seed, workers=workers)
        self.patch = patch

    def load(self, split: Split) -> Tensor:
        patches = [self._cut(torch.from_numpy(np.array(photograph()))) for photograph in _PHOTOGRAPHS[split]]
        return torch.cat(patches)

    def _cut(self, photograph: Tensor) -> Tensor:
        """(H, W, 3) to all whole patches of its grid, (N, 3, patch, patch)."""
        height, width = (side // self.patch * self.patch for side in photograph.shape[:2])
        grid = photograph[:height, :width].unfold(0, self.patch, self.patch).unfold(1, self.patch, self.patch)
        return grid.flatten(0, 1).contiguous()
