"""Rows folded into channels: the same convolutions, shaped for a TPU.

A TPU multiplies 128 x 128 matrices; a convolution from 64 to 64 channels fills a quarter of them. Two
neighbouring rows as 128 channels fill them. A 3x3 kernel makes two rows out of four: out of two pairs that start
one row above the pair it makes. So blocks of rows start at the image's edge and a row above it by turns, and the
folded kernel, 2x3 and 128 to 128 channels, is zero in a quarter of its entries instead of in half of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LANES = 128  # what a TPU multiplies at once


@dataclass(frozen=True)
class Folded:
    """Features (B, C, H, W) as blocks of ``rows`` rows, of which H is a multiple.

    Attributes:
        blocks: (B, rows C, H/rows, W), a row's channels side by side, the rows in the order of :func:`order`.
            If ``shifted``, there is a block more: the first starts a row above the image, and what it and the
            last hold outside of the image counts as zero padding.
        rows: a power of two.
        shifted: whether blocks start a row early.
        parts: how many features of equal width are concatenated, each folded by itself.
    """

    blocks: Tensor
    rows: int
    shifted: bool = False
    parts: int = 1


Features = Tensor | Folded


def pays(images: Tensor, rows: int) -> bool:
    """Whether ``images`` (B, C, H, W) are better folded: on a TPU, and on the devices that stand for one."""
    return images.device.type == "xla" and images.shape[-2] % rows == 0


@cache
def order(rows: int) -> list[int]:
    """A block's rows: even ones, then odd ones, each in this order; so 2x2 pooling joins a block's halves."""
    return [2 * row + odd for odd in (0, 1) for row in order(rows // 2)] if rows > 1 else [0]


def fold(images: Tensor, rows: int) -> Folded:
    """(B, C, H, W) to blocks that start at the edge."""
    return Folded(torch.cat([images[:, :, row::rows] for row in order(rows)], dim=1), rows)


def unfold(features: Features) -> Tensor:
    """Features back to (B, C, H, W)."""
    if isinstance(features, Tensor):
        return features
    by_row = features.blocks.chunk(features.rows, dim=1)
    rows = torch.stack([by_row[order(features.rows).index(row)] for row in range(features.rows)], dim=3).flatten(2, 3)
    return rows[:, :, features.rows - 1 : -1] if features.shifted else rows


def convolve(features: Features, conv: nn.Conv2d, *, like: Features | None = None) -> Features:
    """``conv`` with 'same' padding, on features folded or not; a stride divides the rows of a block that has several.

    Args:
        features: zero where they are padding: of :func:`relu` or a normalisation, or not shifted.
        conv: with a bias. If it has a stride, no features are shifted.
        like: the result is shifted as these are; None takes what costs least.

    Returns:
        Features that may be anything where they are padding.
    """
    if isinstance(features, Tensor):
        result: Tensor = conv(features)
        return result
    assert conv.bias is not None
    rows, stride, padding = features.rows, conv.stride[0], int(conv.padding[0])
    if stride > rows:
        return Folded(conv(features.blocks), rows)
    made = rows // stride
    flip = made > 1 and padding % 2 == 1 and stride == 1
    shifted = like.shifted if isinstance(like, Folded) else features.shifted ^ flip
    # Rows from the start of the block that has the same index: what is needed first, and where the first block starts.
    needed = features.shifted - stride * shifted - padding
    above = -(needed // rows)
    lead = needed + rows * above
    height = -(-(lead + stride * (made - 1) + conv.kernel_size[0]) // rows)
    below = shifted - features.shifted + height - 1 - above

    def line(result: int, source: int, block: int) -> int:
        return rows * block + source - stride * result - lead

    weight = conv.weight.type(features.blocks.dtype)
    kernels = [_kernel(part, line, made, rows, height) for part in weight.chunk(features.parts, dim=1)]
    blocks, above = (features.blocks, above) if above == below else (_pad(features.blocks, above, below), 0)
    result = F.conv2d(
        blocks,
        torch.cat(kernels, dim=1),
        conv.bias.repeat(made),
        stride=(1, conv.stride[1]),
        padding=(above, int(conv.padding[1])),
    )
    return Folded(result, made, shifted)


def convolve_transposed(features: Features, conv: nn.ConvTranspose2d) -> Features:
    """``conv``, whose output is ``stride`` times as large, on features folded or not.

    Blocks have ``stride`` times as many rows then, or one row as before if that alone has all the channels a TPU
    multiplies at once.
    """
    if isinstance(features, Tensor):
        result: Tensor = conv(features)
        return result
    assert conv.bias is not None
    assert not features.shifted
    rows, stride, padding, size = features.rows, conv.stride[0], int(conv.padding[0]), conv.kernel_size[0]
    made = rows * stride
    if rows == 1 and made * conv.out_channels > _LANES:
        return Folded(conv(features.blocks), rows)
    first, last = -((size - 1 - padding) // stride), (made - 1 + padding) // stride  # the rows that a block needs
    above, below = -(first // rows), last // rows
    height = above + 1 + below

    def line(source: int, result: int, block: int) -> int:
        return result - stride * (rows * (below - block) + source) + padding

    kernel = _kernel(conv.weight.type(features.blocks.dtype), line, rows, made, height)
    result = F.conv_transpose2d(
        _pad(features.blocks, above, below) if above != below else features.blocks,
        kernel,
        conv.bias.repeat(made),
        stride=(1, conv.stride[1]),
        padding=(height - 1 if above != below else below, int(conv.padding[1])),
        output_padding=(0, int(conv.output_padding[1])),
    )
    return Folded(result, made)


def _kernel(weight: Tensor, line: Callable[[int, int, int], int], rows: int, columns: int, height: int) -> Tensor:
    """``weight`` (M, N, k, l) to (rows M, columns N, height, l): lines of its k where ``line`` says so, else zeros."""
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


def _pad(blocks: Tensor, above: int, below: int) -> Tensor:
    return F.pad(blocks, (0, 0, above, below))


def add(some: Features, others: Features) -> Features:
    """The sum in the precision of ``some``; folded features are both shifted or both not."""
    if isinstance(some, Tensor):
        assert isinstance(others, Tensor)
        return some + others
    assert isinstance(others, Folded)
    assert (some.rows, some.shifted) == (others.rows, others.shifted)
    return Folded(some.blocks + others.blocks.type(some.blocks.dtype), some.rows, some.shifted)


def relu(features: Features) -> Features:
    """ReLU; zero where the features are padding."""
    if isinstance(features, Tensor):
        return F.relu(features)
    return Folded(_masked(F.relu(features.blocks), features), features.rows, features.shifted)


def max_pool(features: Features) -> Features:
    """2x2 max pooling with stride 2; blocks shall start at the edge and come out with half the rows."""
    if isinstance(features, Tensor):
        return F.max_pool2d(features, 2)
    assert not features.shifted
    if features.rows == 1:
        return Folded(F.max_pool2d(features.blocks, 2), 1)
    columns = _first_maximum(features.blocks[..., 0::2], features.blocks[..., 1::2])
    return Folded(_first_maximum(*columns.chunk(2, dim=1)), features.rows // 2)


def _first_maximum(first: Tensor, second: Tensor) -> Tensor:
    """The maximum, whose gradient goes to the first of equals, as max_pool2d's does."""
    return torch.where(second > first, second, first)


def concatenate(some: Features, others: Features) -> Features:
    """Joins the channels of features of equal shape."""
    if isinstance(some, Tensor):
        assert isinstance(others, Tensor)
        return torch.cat((some, others), dim=1)
    assert isinstance(others, Folded)
    assert (some.rows, some.shifted) == (others.rows, others.shifted)
    return Folded(torch.cat((some.blocks, others.blocks), dim=1), some.rows, some.shifted, parts=2)


def inside(features: Folded, dtype: torch.dtype) -> Tensor:
    """1 where a block's row is in the image, 0 where it is padding: (rows, 1, blocks), or (rows, 1, 1) if none is."""
    rows, device = features.rows, features.blocks.device
    if not features.shifted:
        return torch.ones(rows, 1, 1, dtype=dtype, device=device)
    image = torch.ones(rows * (features.blocks.shape[2] - 1), dtype=dtype, device=device)
    by_row = F.pad(image, (1, rows - 1)).view(-1, rows).unbind(1)
    return torch.stack([by_row[row] for row in order(rows)])[:, None]


def _masked(blocks: Tensor, features: Folded) -> Tensor:
    if not features.shifted:
        return blocks
    mask = inside(features, blocks.dtype)
    return blocks * mask.expand(-1, blocks.shape[1] // features.rows, -1).flatten(0, 1).unsqueeze(-1)
