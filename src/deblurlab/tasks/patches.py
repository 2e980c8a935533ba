"""Cuts images into grids of patches, and puts the patches back together."""

from torch import Tensor


def cut(images: Tensor, grid: tuple[int, int]) -> Tensor:
    """(B, C, H, W) images to (B * rows * columns, C, H / rows, W / columns) patches: image by image, row by row."""
    (rows, columns), (batch, channels, height, width) = grid, images.shape
    cells = images.reshape(batch, channels, rows, height // rows, columns, width // columns)
    return cells.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, height // rows, width // columns)


def assemble(patches: Tensor, grid: tuple[int, int]) -> Tensor:
    """Put patches back together: the inverse of :func:`cut`, with the same ``grid``."""
    (rows, columns), (count, channels, height, width) = grid, patches.shape
    cells = patches.reshape(count // (rows * columns), rows, columns, channels, height, width)
    return cells.permute(0, 3, 1, 4, 2, 5).reshape(-1, channels, rows * height, columns * width)
