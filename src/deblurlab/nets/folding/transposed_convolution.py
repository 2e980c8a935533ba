"""Transposed convolutions of folded features: transposed convolutions of their blocks."""

from typing import Any

from torch import Tensor
from torch.nn import functional as F

from deblurlab.nets.folding.block_kernels import Sizes, both, kernel_of_blocks
from deblurlab.nets.folding.folded import Folded, folded_form_of
from deblurlab.nets.folding.shifting import unshift

_LANES = 128  # the number of channels that a TPU multiplies at once


@folded_form_of(F.conv_transpose2d)
def _conv_transpose2d(
    features: Folded,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Any:
    """Transposed convolution with a stride of 1 or 2 whose result is ``stride`` times as high as the features.

    The blocks of the result have ``stride`` times as many rows, or one row if a single row already has as many channels
    as a TPU multiplies at once.
    """
    (step, step_across), (margin, margin_across) = both(stride), both(padding)
    (more, more_across), size = both(output_padding), weight.shape[2]
    if both(dilation) != (1, 1) or groups != 1 or len(features.parts) > 1:
        return NotImplemented
    if step not in (1, 2) or size - 2 * margin + more != step:
        return NotImplemented
    features = unshift(features)
    rows, made, channels = features.rows, features.rows * step, weight.shape[1]
    if rows == 1 and made * channels > _LANES:
        result = F.conv_transpose2d(features.blocks, weight, bias, stride, padding, output_padding)
        return Folded(result, 1, parts=(channels,))

    # Row s of the features, times line l of the kernel, is added to row  step * s - margin + l  of the result.
    # So the rows 0 to made - 1 of the result, which are its block 0, need these rows of the features:
    first, last = -((size - 1 - margin) // step), (made - 1 + margin) // step
    above, below = -(first // rows), last // rows  # the numbers of blocks above and below that are needed
    height = above + 1 + below

    def line(source: int, result: int, block: int) -> int:
        return result - step * (rows * (below - block) + source) + margin

    padded = above != below
    result = F.conv_transpose2d(
        F.pad(features.blocks, (0, 0, above, below)) if padded else features.blocks,
        kernel_of_blocks(weight.type(features.blocks.dtype), line, rows, made, height),
        None if bias is None else bias.repeat(made),
        stride=(1, step_across),
        padding=(height - 1 if padded else below, margin_across),
        output_padding=(0, more_across),
    )
    return Folded(result, made, parts=(channels,))
