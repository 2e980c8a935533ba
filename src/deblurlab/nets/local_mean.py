"""Means over a window around each position, at a cost that does not depend on the size of the window."""

import torch
from torch import Tensor
from torch.nn import functional as F


def window_means(features: Tensor, side: int) -> Tensor:
    """The means over all square windows that lie within the features, as in TLC (Chu et al., 2022).

    If the features are lower or narrower than the window, the window has their whole height or width.

    Args:
        features: (B, C, H, W).
        side: The height and width of the window.

    Returns:
        (B, C, H - side + 1, W - side + 1), each side at least 1. While the network is exported, the result is already
        extended to all positions, as by :func:`extended`: (B, C, H, W).
    """
    along = _along_exported if torch.compiler.is_exporting() else _along
    across = along(features.float(), side, 3)  # rows first: with channels_last, sums down the columns take longer
    return along(across, side, 2).type_as(features)


def extended(means: Tensor, features: Tensor) -> Tensor:
    """Extend means over windows to every position of the features.

    Near a border the window is moved inwards until it lies within the features, so that all positions there share one
    mean. With five positions and a window of three, the first and the last position take their neighbour's window::

        windows   [0 1 2] [0 1 2] [1 2 3] [2 3 4] [2 3 4]

    Args:
        means: (B, C, h, w), the result of :func:`window_means`, or values computed from it position by position.
        features: (B, any number of channels, H, W), the features that the means were taken of.

    Returns:
        (B, C, H, W).
    """
    if torch.compiler.is_exporting():
        return means
    down, across = (features.shape[dim] - means.shape[dim] for dim in (2, 3))
    return F.pad(means, (across // 2, across - across // 2, down // 2, down - down // 2), mode="replicate")


def _along(features: Tensor, side: int, dim: int) -> Tensor:
    """The means over all windows along one dimension: differences of running sums."""
    length = features.shape[dim]
    side = min(side, length)
    sums = features.cumsum(dim)
    first, others = sums.narrow(dim, side - 1, 1), length - side
    return torch.cat((first, sums.narrow(dim, side, others) - sums.narrow(dim, 0, others)), dim) / side


def _along_exported(features: Tensor, side: int, dim: int) -> Tensor:
    """The means along one dimension, extended to every position as by :func:`extended`, for torch.export.

    Height and width are dynamic in an exported graph, so that it is not known whether the window fits. torch.export
    then writes no slices and no padding that could be loaded again; gathering with computed indices can.
    """
    length = features.shape[dim]
    side = torch.sym_min(side, length)  # type: ignore[no-untyped-call]  # min() would fix the length
    sums = features.cumsum(dim)
    sums = torch.cat((torch.zeros_like(sums.narrow(dim, 0, 1)), sums), dim)
    position = torch.ones_like(features[0, 0].select(3 - dim, 0), dtype=torch.long).cumsum(0) - 1
    first = (position - (side - 1) // 2).clamp(min=0)
    first = torch.minimum(first, torch.full_like(first, length - side))
    return (sums.index_select(dim, first + side) - sums.index_select(dim, first)) / side
