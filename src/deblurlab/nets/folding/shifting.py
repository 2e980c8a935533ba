"""Changes where the blocks of folded features start, and sets their padding outside of the image to zero."""

import torch
from torch import Tensor
from torch.nn import functional as F

from deblurlab.nets.folding.folded import Folded, order, rows_of_parts


def unshift(features: Folded) -> Folded:
    """Convert features to blocks that start at the edge of the image.

    The first row of each shifted block becomes the last row of the block above; the other rows move up by one.
    """
    if not features.shifted:
        return features
    if features.other is not None:
        return features.other()
    moved: list[Tensor] = []
    for first, *others in rows_of_parts(features):
        by_row = [*(row[:, :, :-1] for row in others), first[:, :, 1:]]
        moved += [by_row[row] for row in order(features.rows)]
    return Folded(torch.cat(moved, dim=1), features.rows, features.parts)


def with_zero_padding(features: Folded) -> Folded:
    """Set the padding outside of the image to zero, as a convolution expects it."""
    if not features.shifted or features.zero_padding:
        return features
    mask = inside(features, features.blocks.dtype)
    masks = [mask.expand(-1, part, -1).flatten(0, 1).unsqueeze(-1) for part in features.parts]
    blocks = features.blocks * (torch.cat(masks) if len(masks) > 1 else masks[0])
    return features.like(blocks, zero_padding=True)


def inside(features: Folded, dtype: torch.dtype) -> Tensor:
    """A mask: 1 where a row of a block is in the image, 0 where it is padding.

    Returns:
        (rows, 1, blocks) for shifted features; (rows, 1, 1) for others, all of whose rows are in the image.
    """
    rows, device = features.rows, features.blocks.device
    if not features.shifted:
        return torch.ones(rows, 1, 1, dtype=dtype, device=device)
    image = torch.ones(rows * (features.blocks.shape[2] - 1), dtype=dtype, device=device)
    by_row = F.pad(image, (1, rows - 1)).view(-1, rows).unbind(1)
    return torch.stack([by_row[row] for row in order(rows)])[:, None]
