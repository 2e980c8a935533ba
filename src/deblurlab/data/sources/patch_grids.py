"""The grid of whole patches in a picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deblurlab import pictures
from deblurlab.checks.require import SSIM_WINDOW
from deblurlab.data.arrays import Integers
from deblurlab.data.pixels import Pixels, decode_file
from deblurlab.data.sources.pair_source import WHOLE_PICTURES

# The ends of the errors about a picture that is smaller than a patch, and about a whole picture: what to do.
_LEAVE_OUT = "take the picture out, or leave such pictures out with data.on_error=skip."
TOO_SMALL = (f": lower data.patch, {_LEAVE_OUT}", f": {_LEAVE_OUT}")


def patch_grid(file: Path, patch: tuple[int, int]) -> tuple[int, int]:
    """The numbers of rows and columns of whole patches in a picture; only the file's header is read.

    Args:
        file: The picture.
        patch: Height and width of a patch.

    Raises:
        ValueError: If it is smaller than a patch, is tested whole and too small to be scored, or is not a picture; the
            message names the file.
    """
    height, width = pictures.size(file, str(file))
    if patch == WHOLE_PICTURES and min(height, width) < SSIM_WINDOW:
        raise ValueError(
            f"{file} is {width}x{height}, and SSIM needs at least {SSIM_WINDOW}x{SSIM_WINDOW} pixels{TOO_SMALL[1]}"
        )
    if height < patch[0] or width < patch[1]:
        raise ValueError(
            f"{file} is {width}x{height}, smaller than data.patch={list(patch)} (height, width){TOO_SMALL[0]}"
        )
    return height // patch[0], width // patch[1]


def patch_grids(files: Sequence[Path], patch: tuple[int, int]) -> Integers:
    """:func:`patch_grid` of each picture, (F, 2)."""
    return np.array([patch_grid(file, patch) for file in files], dtype=np.int64).reshape(-1, 2)


def covered_part(file: Path, grid: Integers, patch: tuple[int, int]) -> Pixels:
    """Decode the part of a picture that its whole patches cover, from the top left corner.

    Args:
        file: The picture.
        grid: The picture's :func:`patch_grid`.
        patch: Height and width of a patch.

    Raises:
        ValueError: If it is broken; the message names the file.
    """
    pixels = decode_file(file)
    height, width = grid * patch
    if pixels.shape[0] < height or pixels.shape[1] < width:
        raise ValueError(f"{file} says behind its pixels that it lies on its side. Save it upright.")
    return pixels[:height, :width]


def patch_size(size: tuple[int, int], grid: tuple[int, int]) -> tuple[int, int]:
    """The height and width of a patch when a frame is divided into equal patches.

    Args:
        size: Height and width of the frame.
        grid: The numbers of rows and columns of patches.

    Raises:
        ValueError: If the grid does not divide the frame.
    """
    if min(*size, *grid) < 1 or size[0] % grid[0] or size[1] % grid[1]:
        raise ValueError(f"data.size={list(size)} cannot be cut to data.grid={list(grid)} equal patches.")
    return size[0] // grid[0], size[1] // grid[1]
