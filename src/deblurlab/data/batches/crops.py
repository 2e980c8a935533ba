"""Random crops of training images, whose size may grow with the epochs, cut on the host or on the training device."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from deblurlab.checks.require import SSIM_WINDOW
from deblurlab.data.arrays import Booleans, Floats, Integers

# The side of the crops in pixels: one for all epochs, or a side for each first epoch. None trains on fixed patches.
Crops = int | Mapping[int, int] | None

# Added to the seeds of crops and transposes, so that the draws of order, flips and blur are the same without them.
_CROP_DRAWS, _TRANSPOSE_DRAWS = 1, 2


def require_crops(crops: Crops) -> None:
    """Check the value of the key ``data.crops``.

    Raises:
        ValueError: If it is neither a size nor a mapping from epochs, including 0, to sizes.
    """
    if crops is None:
        return
    sides = crops if isinstance(crops, Mapping) else {0: crops}
    if 0 not in sides or not all(type(one) is int for one in (*sides, *sides.values())) or min(sides) < 0:
        raise ValueError(
            f"data.crops is a side in pixels, or {{0: side, epoch: side, ...}} from epoch 0 on, got {crops}."
        )
    if too_small := [side for side in sides.values() if side < SSIM_WINDOW]:
        raise ValueError(f"data.crops must be at least {SSIM_WINDOW} (SSIM's window), got {too_small[0]}.")


def crop_side(crops: Crops, epoch: int) -> int | None:
    """The side of the crops in an epoch, in pixels; None without crops."""
    if not isinstance(crops, Mapping):
        return crops
    return crops[max(first for first in crops if first <= epoch)]


def largest_side(crops: Crops) -> int | None:
    """The largest side of the crops in any epoch, in pixels; None without crops."""
    return max(crops.values()) if isinstance(crops, Mapping) else crops


def crop_places(count: int, seed: tuple[int, ...]) -> Floats:
    """Draw the place of each crop, (count, 2) in [0, 1): 0 is the top or left edge, 1 the bottom or right edge."""
    return np.random.default_rng((*seed, 0, _CROP_DRAWS)).random((count, 2))


def transposes(count: int, seed: tuple[int, ...]) -> Booleans:
    """Draw which images to transpose, (count, 1) bool. With the two flips, this makes the eight flips and rotations."""
    return np.random.default_rng((*seed, 0, _TRANSPOSE_DRAWS)).random((count, 1)) < 0.5


def offsets(places: Floats, size: Integers, side: int) -> Integers:
    """The first row and column of each crop. All positions are equally likely.

    Args:
        places: (..., 2) from :func:`crop_places`.
        size: (..., 2), the height and width of the images, at least ``side``.
        side: The side of the crops, in pixels.
    """
    first: Integers = np.floor(places * (size - side + 1)).astype(np.int64)
    return first


def crop(images: Tensor, first: Tensor, side: int) -> Tensor:
    """Crop each image of a batch at its own place, with shapes that do not depend on the places.

    Args:
        images: (B, C, H, W).
        first: (B, 2) the first row and column of each crop.
        side: Height and width of the crops.

    Returns:
        (B, C, side, side).
    """
    steps = torch.arange(side, device=images.device)
    rows, columns = (first[:, axis, None] + steps for axis in (0, 1))
    images = images.take_along_dim(rows[:, None, :, None], dim=2)
    return images.take_along_dim(columns[:, None, None, :], dim=3)
