"""Kernels for blocks of rows, assembled from the kernels for single rows."""

from collections.abc import Callable

import torch
from torch import Tensor

from deblurlab.nets.folding.folded import order

Sizes = int | tuple[int, int]


def both(sizes: Sizes) -> tuple[int, int]:
    """A setting's value for height and for width, where PyTorch takes one number for both."""
    return (sizes, sizes) if isinstance(sizes, int) else sizes


def kernel_of_blocks(
    weight: Tensor, line: Callable[[int, int, int], int], rows: int, columns: int, height: int
) -> Tensor:
    """Assemble the kernel for blocks of rows from the kernel for single rows.

    Args:
        weight: (M, N, k, l), the kernel for single rows; it has k lines.
        line: Takes a row of the blocks along M, a row of the blocks along N and a line of the new kernel, and returns
            the index of the line of ``weight`` that belongs there. An index out of range stands for zeros.
        rows: The number of rows of the blocks along M.
        columns: The number of rows of the blocks along N.
        height: The number of lines of the new kernel.

    Returns:
        (rows M, columns N, height, l).
    """
    lines, zeros = weight.unbind(2), torch.zeros_like(weight[:, :, 0])

    def entry(row: int, column: int, block: int) -> Tensor:
        index = line(row, column, block)
        return lines[index] if 0 <= index < len(lines) else zeros

    return torch.stack(
        [
            torch.cat(
                [torch.cat([entry(row, column, block) for column in order(columns)], dim=1) for row in order(rows)]
            )
            for block in range(height)
        ],
        dim=2,
    )
