"""Means over a window around each position, at a cost that does not depend on the size of the window."""

import torch
from torch import Tensor


def local_mean(features: Tensor, side: int) -> Tensor:
    """The mean over a square window around each position, as TLC takes it (Chu et al., 2022).

    Near a border the window is moved inwards until it lies within the features, so that all positions there share one
    mean. Where the features are lower or narrower than the window, it takes their whole height or width.

    Args:
        features: (B, C, H, W).
        side: The height and width of the window.

    Returns:
        (B, C, H, W).
    """
    return _along(_along(features.float(), side, 2), side, 3).type_as(features)


def _along(features: Tensor, side: int, dim: int) -> Tensor:
    """The means along one dimension: differences of running sums.

    With five positions and a window of three, the first and the last window are those of their neighbours::

        windows   [0 1 2] [0 1 2] [1 2 3] [2 3 4] [2 3 4]
    """
    length = features.shape[dim]
    side = torch.sym_min(side, length)  # type: ignore[no-untyped-call]  # min() would fix the length in an export
    sums = features.cumsum(dim)
    sums = torch.cat((torch.zeros_like(sums.narrow(dim, 0, 1)), sums), dim)
    place = torch.ones_like(features[0, 0].select(3 - dim, 0), dtype=torch.long).cumsum(0) - 1
    first = (place - (side - 1) // 2).clamp(min=0)
    first = torch.minimum(first, torch.full_like(first, length - side))
    return (sums.index_select(dim, first + side) - sums.index_select(dim, first)) / side
