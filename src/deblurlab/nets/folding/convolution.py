"""Convolutions of folded features: convolutions of their blocks, with kernels that are assembled from the original.

A 3x3 kernel computes each row of its result from three rows; call its lines k0, k1 and k2. With two rows per block, the
number of blocks from which a block of the result is computed depends on where the blocks of the result start. The
kernel for the blocks has a column for each row of those blocks, with zeros (.) where the result does not depend on it::

    from blocks that start at the edge          from blocks that start at the edge
    to blocks that start one row above it       to blocks that start at the edge, too

                block -1   block 0                          block -1   block 0    block 1
    rows:       -2   -1    0    1               rows:       -2   -1    0    1     2    3
    row -1      k0   k1    k2   .               row 0        .   k0    k1   k2    .    .
    row  0       .   k0    k1   k2              row 1        .    .    k0   k1    k2   .

The left kernel, with two lines of blocks and a quarter of zeros, is the cheaper one, and so is the one from shifted
blocks back to the edge. Therefore successive convolutions alternate between shifted and unshifted results.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from deblurlab.nets.folding.block_kernels import Sizes, both, kernel_of_blocks
from deblurlab.nets.folding.folded import Folded, folded_form_of
from deblurlab.nets.folding.shifting import unshift, with_zero_padding


@folded_form_of(F.conv2d)
def _conv2d(
    features: Folded,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """Convolution with an odd kernel that is padded by half its size, and a stride that divides the rows of a block."""
    if isinstance(padding, str) or both(dilation) != (1, 1) or groups != 1:
        return NotImplemented
    (step, step_across), (margin, margin_across) = both(stride), both(padding)
    if features.rows == 1:
        result = F.conv2d(features.blocks, weight, bias, stride, padding)
        return Folded(result, 1, parts=(len(weight),))
    if weight.shape[2] != 2 * margin + 1 or features.rows % step:
        return NotImplemented
    features = with_zero_padding(features) if step == 1 else unshift(features)
    changes = step == 1 and margin % 2 == 1
    settings = ((step, step_across), (margin, margin_across))
    return _convolved(features, weight, bias, *settings, shifted=features.shifted != changes)


def _convolved(
    features: Folded,
    weight: Tensor,
    bias: Tensor | None,
    stride: tuple[int, int],
    padding: tuple[int, int],
    *,
    shifted: bool,
) -> Folded:
    """Convolve features to a result whose blocks are shifted, or not."""
    (step, step_across), (margin, margin_across) = stride, padding
    rows, made = features.rows, features.rows // step  # the rows of a block of the features, and of the result
    # Block b of the features starts at their row  rows * b - features.shifted,
    # block b of the result at its row             made * b - shifted.
    # So row r of block b of the result needs, for line l of the kernel, this row of the features:
    #     step * (made * b - shifted + r) - margin + l  =  rows * b - features.shifted + first + step * r + l  with:
    first = features.shifted - step * shifted - margin
    above = -(first // rows)  # the number of blocks above b that are needed
    offset = first + rows * above  # the position of the first row that is needed, in the uppermost of them
    height = -(-(offset + step * (made - 1) + weight.shape[2]) // rows)  # the number of blocks that are needed in all
    below = shifted - features.shifted + height - 1 - above  # padding that gives the result the right number of blocks

    def line(result: int, source: int, block: int) -> int:
        return rows * block + source - offset - step * result

    weights = weight.type(features.blocks.dtype).split_with_sizes(features.parts, dim=1)
    kernels = [kernel_of_blocks(part, line, made, rows, height) for part in weights]
    blocks, above = (features.blocks, above) if above == below else (F.pad(features.blocks, (0, 0, above, below)), 0)
    result = F.conv2d(
        blocks,
        torch.cat(kernels, dim=1),
        None if bias is None else bias.repeat(made),
        stride=(1, step_across),
        padding=(above, margin_across),
    )
    other = partial(_convolved, features, weight, bias, stride, padding, shifted=not shifted) if step == 1 else None
    return Folded(result, made, parts=(len(weight),), shifted=shifted, other=other)
