"""The discrete cosine transform of the first kind (DCT-I), as a product with a matrix."""

import math

import torch
from torch import Tensor


def cosines(rows: int, length: int, like: Tensor) -> Tensor:
    r""":math:`\cos(\pi k n / (N-1))` for k below ``rows`` and n below N = ``length``, which is at least 2.

    Args:
        rows: The number of rows, k.
        length: The number of columns, N.
        like: A tensor whose dtype and device the result gets.

    Returns:
        (rows, length).
    """
    row, column = (torch.arange(count, device=like.device) for count in (rows, length))
    period = 2 * column[-1]
    turns = (row[:, None] * column % period).type_as(like) / period.type_as(like)  # below 1, and so exact in float32
    return torch.cos(2 * math.pi * turns)


def edge_weights(length: int, like: Tensor) -> Tensor:
    """The weights of a line's pixels, (N,): the square root of 1/2 for the first and the last pixel, 1 for the others.

    Args:
        length: N, at least 2.
        like: A tensor whose dtype and device the result gets.
    """
    index = torch.arange(length, device=like.device)
    return torch.where((index == 0) | (index == index[-1]), math.sqrt(0.5), 1.0).type_as(like)


def cosine_matrix(length: int, like: Tensor) -> Tensor:
    r"""The orthonormal DCT-I of a line: :math:`T_{kn} = \sqrt{2/(N-1)}\, e_k e_n \cos(\pi k n / (N-1))`.

    e is :math:`1/\sqrt 2` at both ends and 1 between them. The matrix is symmetric and its own inverse.

    Args:
        length: N, at least 2.
        like: A tensor whose dtype and device the matrix gets.

    Returns:
        (N, N).
    """
    ends, index = edge_weights(length, like), torch.arange(length, device=like.device)
    return cosines(length, length, like) * ends[:, None] * ends * torch.sqrt(2 / index[-1].type_as(like))


class CosineTransform:
    r"""The DCT-I of images, in which a symmetric blur with mirrored borders is a product (Martucci, 1994).

    If the borders mirror the image without repeating its outermost pixel, a symmetric kernel has the cosines
    :math:`\cos(\pi k n / (N-1))` as its eigenvectors. Pixels at the edge, which have no mirror image of their own, are
    weighted by the square root of 1/2, so that the transform is orthonormal, and white noise stays nearly white.

    Args:
        images: (B, C, H, W), of the size, dtype and device that the transform is for; H and W are at least 2.
    """

    def __init__(self, images: Tensor) -> None:
        height, width = images.shape[-2:]
        self._rows, self._columns = cosine_matrix(height, images), cosine_matrix(width, images)
        self._edges = edge_weights(height, images)[:, None] * edge_weights(width, images)

    def __call__(self, images: Tensor) -> Tensor:
        """The coefficients of images, (B, C, H, W); the lowest frequencies come first."""
        return self._rows @ (images * self._edges) @ self._columns

    def inverse(self, coefficients: Tensor) -> Tensor:
        """The images, (B, C, H, W), that have these coefficients."""
        return self._rows @ coefficients @ self._columns / self._edges
