"""Kernels that work on blocks of rows, put together of kernels that work on single rows."""

from collections.abc import Callable

import torch
from torch import Tensor

from deblurlab.nets.folding.folded import order

Sizes = int | tuple[int, int]


def both(sizes: Sizes) -> tuple[int, int]:
    """Height and width of what PyTorch takes as one number if they are equal."""
    return (sizes, sizes) if isinstance(sizes, int) else sizes


def kernel_of_blocks(
    weight: Tensor, line: Callable[[int, int, int], int], rows: int, columns: int, height: int
) -> Tensor:
    """Put a kernel together.

    Args:
        weight: (M, N, k, l), a kernel of single rows; it has k lines.
        line: Called with a row of the blocks along M, a row of the blocks along N and a line of the kernel of blocks;
            returns which of the k lines stands there. Zeros do where there is no line of that number.
        rows: The number of rows of the blocks along M.
        columns: The number of rows of the blocks along N.
        height: The number of lines of the kernel of blocks.

    Returns:
        (rows M, columns N, height, l).
    """
    lines, none = weight.unbind(2), torch.zeros_like(weight[:, :, 0])

    def entry(row: int, column: int, block: int) -> Tensor:
        index = line(row, column, block)
        return lines[index] if 0 <= index < len(lines) else none

    return torch.stack(
        [
            torch.cat(
                [torch.cat([entry(row, column, block) for column in order(columns)], dim=1) for row in order(rows)]
            )
            for block in range(height)
        ],
        dim=2,
    )
