"""Photographs that come with scikit-image: data for a first run, without a download."""

from collections.abc import Callable
from typing import Any

import numpy as np
import skimage.data
import torch
from torch import Tensor

from deblurlab.checks import require
from deblurlab.data.batches.crops import Crops
from deblurlab.data.blur.gaussian import gaussian_blur, gaussian_kernels, kernel_size
from deblurlab.data.modules.in_memory import BlurredImages
from deblurlab.interfaces import Pair, Split

_PHOTOGRAPHS: dict[Split, tuple[Callable[[], Any], ...]] = {
    "train": (skimage.data.astronaut, skimage.data.coffee, skimage.data.rocket),
    "val": (skimage.data.chelsea,),
    "test": (lambda: skimage.data.stereo_motorcycle()[0],),
}


class Sample(BlurredImages):
    """Five colour photographs of scikit-image, cut to square patches. Each photograph belongs to one split.

    Training patches overlap by half, so that three photographs give 2,800 patches of 32x32 pixels.

    Args:
        batch_size, sigma_range: See :class:`BlurredImages`.
        patch: The side of a patch in pixels.
        fixed_blur, seed, workers, rotations, crops: See :class:`BlurredImages`.
    """

    def __init__(
        self,
        *,
        batch_size: int,
        sigma_range: tuple[float, float],
        patch: int = 32,
        fixed_blur: bool = False,
        seed: int = 0,
        workers: int = 0,
        rotations: bool = False,
        crops: Crops = None,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            sigma_range=sigma_range,
            fixed_blur=fixed_blur,
            seed=seed,
            workers=workers,
            rotations=rotations,
            crops=crops,
        )
        # at most the shorter side of the photograph for validation
        require.whole_number("data.patch", patch, at_least=require.SSIM_WINDOW, at_most=300, of="pixels")
        self.patch = patch

    def whole_picture(self) -> Pair:
        """See :class:`deblurlab.interfaces.WholePicture`: the cat, blurred with the middle of the range of sigma."""
        sharp = torch.from_numpy(np.array(_PHOTOGRAPHS["val"][0]())).permute(2, 0, 1)[None]
        sharp = sharp[..., : sharp.shape[-2] // 16 * 16, : sharp.shape[-1] // 16 * 16]  # a size for every network
        sigma = sum(self.sigma_range) / 2
        kernel = torch.from_numpy(gaussian_kernels(np.array([sigma]), int(kernel_size(sigma))))
        return Pair(gaussian_blur(sharp, kernel) / 255, sharp / 255, torch.ones(1, dtype=torch.bool))

    def load(self, split: Split) -> Tensor:
        step = self.patch // 2 if split == "train" else self.patch
        photographs = (torch.from_numpy(np.array(photograph())) for photograph in _PHOTOGRAPHS[split])
        grids = (pixels.unfold(0, self.patch, step).unfold(1, self.patch, step) for pixels in photographs)
        return torch.cat([grid.flatten(0, 1) for grid in grids])  # unfold put the channels before height and width
