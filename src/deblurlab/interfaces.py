"""What every task is fed: a batch of blurred and sharp images."""

from typing import NamedTuple

from torch import Tensor


class Pair(NamedTuple):
    """A batch of image pairs on the training device.

    Attributes:
        blurred: (B, 3, H, W) float32 in [0, 1].
        sharp: (B, 3, H, W) float32 in [0, 1], aligned with ``blurred`` pixel by pixel.
        valid: (B,) bool, False for rows that only fill up the last evaluation batch: shapes stay
            static, and scores leave those rows out.
        grid: rows and columns of the patches that the network takes an image in; (1, 1) for an image at once.
    """

    blurred: Tensor
    sharp: Tensor
    valid: Tensor
    grid: tuple[int, int] = (1, 1)


def cut(images: Tensor, grid: tuple[int, int]) -> Tensor:
    """(B, C, H, W) images to (B * rows * columns, C, H / rows, W / columns) patches: image by image, row by row."""
    (rows, columns), (batch, channels, height, width) = grid, images.shape
    cells = images.reshape(batch, channels, rows, height // rows, columns, width // columns)
    return cells.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, height // rows, width // columns)


def assemble(patches: Tensor, grid: tuple[int, int]) -> Tensor:
    """The images that :func:`cut` made these patches of."""
    (rows, columns), (count, channels, height, width) = grid, patches.shape
    cells = patches.reshape(count // (rows * columns), rows, columns, channels, height, width)
    return cells.permute(0, 3, 1, 4, 2, 5).reshape(-1, channels, rows * height, columns * width)
