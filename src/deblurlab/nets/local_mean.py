"""Means over a window around each position, at a cost that does not depend on the size of the window."""

import torch
from torch import Tensor
from torch.nn import functional as F


def window_means(features: Tensor, side: int) -> Tensor:
    """The means over all square windows that lie within the features, as TLC takes them (Chu et al., 2022).

    Where the features are lower or narrower than the window, it takes their whole height or width.

    Args:
        features: (B, C, H, W).
        side: The height and width of the window.

    Returns:
        (B, C, H - side + 1, W - side + 1), of which each side is at least 1. :func:`continued` makes it (B, C, H, W).
    """
    across = _along(features.float(), side, 3)  # first, since sums down the rows take longer where channels are last
    return _along(across, side, 2).type_as(features)


def continued(means: Tensor, features: Tensor) -> Tensor:
    """What :func:`window_means` returned for some features, or what was computed of it, for each of their positions.

    Near a border the window is moved inwards until it lies within the features, so that all positions there share one
    mean. With five positions and a window of three, the first and the last window are those of their neighbours::

        windows   [0 1 2] [0 1 2] [1 2 3] [2 3 4] [2 3 4]

    Args:
        means: (B, C, h, w).
        features: (B, any number of channels, H, W).

    Returns:
        (B, C, H, W).
    """
    down, across = (features.shape[dim] - means.shape[dim] for dim in (2, 3))
    return F.pad(means, (across // 2, across - across // 2, down // 2, down - down // 2), mode="replicate")


def _along(features: Tensor, side: int, dim: int) -> Tensor:
    """The means over all windows along one dimension: differences of running sums."""
    length = features.shape[dim]
    side = torch.sym_min(side, length)  # type: ignore[no-untyped-call]  # min() would fix the length in an export
    sums = features.cumsum(dim)
    others = length - side  # windows beside the first one
    first = sums.narrow(dim, side - 1, 1)
    return torch.cat((first, sums.narrow(dim, side, others) - sums.narrow(dim, 0, others)), dim) / side
