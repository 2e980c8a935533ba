"""Gaussian blur in integers: the same bits on every device, and the same as OpenCV's for 8-bit images."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from deblurlab.data.arrays import Floats, Integers


def kernel_size(sigma: npt.ArrayLike) -> Integers:
    """OpenCV's kernel size for 8-bit images, ``round(6 * sigma + 1) | 1``, element by element."""
    return np.rint(6 * np.asarray(sigma, dtype=np.float64) + 1).astype(np.int64) | 1


def gaussian_kernels(sigma: Floats, size: int) -> npt.NDArray[np.int16]:
    """One-dimensional Gaussian kernels in 8-bit fixed point, as OpenCV's ``GaussianBlur`` uses for 8-bit images.

    Args:
        sigma: (B,), standard deviations in pixels, not negative. 0 leaves an image unchanged.
        size: The odd number of taps of the result. Each kernel has its own ``kernel_size(sigma)`` taps, in the middle
            of the result between zeros.

    Returns:
        (B, size) integers in units of 1/256. Each kernel is symmetric and sums to exactly 256.

    Raises:
        ValueError: If a kernel does not fit into ``size`` taps.
    """
    taps = kernel_size(sigma)
    if taps.max(initial=1) > size:
        raise ValueError(f"sigma {sigma.max():.3g} needs {taps.max()} taps, more than the {size} there are.")
    offset = np.arange(size) - size // 2
    inside = np.abs(offset) <= taps[:, None] // 2
    weight = np.where(inside, np.exp(-np.square(offset) / (2 * np.square(np.maximum(sigma, 1e-6))[:, None])), 0.0)
    weight *= 256 / weight.sum(axis=1, keepdims=True)
    # If each tap were rounded separately, the sum would not be 256. As in OpenCV, the rounding error of a tap is added
    # to the next one, from the ends inwards, and the tap in the middle gets the rest.
    kernels = np.zeros(weight.shape, dtype=np.int16)
    error = np.zeros(len(weight))
    for tap in range(size // 2):
        exact = weight[:, tap] + error
        rounded = np.rint(exact)
        error = exact - rounded
        kernels[:, tap] = kernels[:, -1 - tap] = rounded
    kernels[:, size // 2] = 256 - kernels.sum(axis=1)
    return kernels


def _banded(kernels: Tensor, length: int) -> Tensor:
    """The matrices that convolve a line of pixels with the kernels, as a product from the left.

    The ends of a line are mirrored without repeating the last pixel (OpenCV's BORDER_REFLECT_101). For a kernel
    (a, b, c) and five pixels::

              pixel 0    1    2    3    4
        result 0  [ b   a+c                ]    the pixel left of 0 is the mirror image of pixel 1
        result 1  [ a    b    c            ]
        result 2  [      a    b    c       ]
        result 3  [           a    b    c  ]
        result 4  [               a+c   b  ]

    Args:
        kernels: (B, K).
        length: The number of pixels in a line.

    Returns:
        (B, length, length) float32.
    """
    taps = kernels.shape[1]
    position = torch.arange(length, device=kernels.device)
    source = position[:, None] + torch.arange(taps, device=kernels.device) - taps // 2  # -1 is left of the line
    source = (length - 1) - ((length - 1) - source.abs()).abs()  # mirrored at 0, then at the last pixel
    one_hot = (source[..., None] == position).to(torch.float32)  # (length, K, length): tap k of result i reads pixel j
    return torch.einsum("bk,ikj->bij", kernels.to(torch.float32), one_hot)


def gaussian_blur(images: Tensor, kernels: Tensor) -> Tensor:
    """Blur each image with its own separable kernel; borders are mirrored without repeating the edge pixel.

    The blur is a product with a banded matrix from the left, along columns, and another from the right, along rows. A
    grouped convolution would do the same, but it folds the batch into the channels, and then XLA can no longer split
    the batch over devices.

    Args:
        images: (B, C, H, W) with integer values in [0, 255], any dtype; H and W are larger than half a kernel.
        kernels: (B, K) integers that sum to 256, see :func:`gaussian_kernels`.

    Returns:
        (B, C, H, W) float32 with integer values in [0, 255], rounded half up.

    Raises:
        ValueError: If the images are too small for the kernels.
    """
    height, width = images.shape[-2:]
    if kernels.shape[1] // 2 >= min(height, width):
        raise ValueError(f"A blur of {kernels.shape[1]} taps needs images larger than {height}x{width}.")
    rows, columns = _banded(kernels, height), _banded(kernels, width).mT
    # Devices multiply float32 matrices in different ways: a GPU may round the factors to 11 significant bits (TF32), a
    # TPU to 8 (bfloat16), and all of them accumulate in float32, which holds integers up to 2^24. To get the same bits
    # everywhere, no factor here has more than 8 significant bits and no sum exceeds 2^24. The result of the first
    # product has 16 bits (up to 255 * 256). It is split into an upper and a lower byte; the second product is applied
    # to each of them separately, and the two results are combined.
    vertical = rows[:, None] @ images.to(torch.float32)
    vertical = vertical.flatten(1, 2)  # (B, C * H, W): all channels of an image are multiplied by one matrix
    high = torch.floor(vertical / 256)
    low = vertical.sub_(high, alpha=256)
    blurred = (high @ columns).mul_(256).add_(low @ columns)  # up to 255 * 65536 < 2^24
    return blurred.add_(32768).div_(65536).floor_().view(images.shape)
