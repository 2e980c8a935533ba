"""Flips and rotates the images of a batch."""

import torch
from torch import Tensor


def flip(images: Tensor, flips: Tensor) -> Tensor:
    """Flip some images of a batch. Both results are computed and one is chosen, so that the program stays the same.

    Args:
        images: (B, C, H, W).
        flips: (B, 2) bool: flip this image horizontally, flip it vertically. A third column transposes square images
            after that, which makes the eight flips and rotations.
    """
    for dim, chosen in ((-1, flips[:, 0]), (-2, flips[:, 1])):
        images = torch.where(chosen[:, None, None, None], images.flip(dim), images)
    if flips.shape[1] == 3:
        images = torch.where(flips[:, 2, None, None, None], images.transpose(-1, -2), images)
    return images
