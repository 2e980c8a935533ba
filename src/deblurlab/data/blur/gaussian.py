"""Gaussian blur in exact integer arithmetic: OpenCV's 8-bit result, bit for bit, on any device."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def kernel_size(sigma: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """OpenCV's kernel size for 8-bit images, ``round(6 * sigma + 1) | 1``, element by element."""
    return np.rint(6 * np.asarray(sigma, dtype=np.float64) + 1).astype(np.int64) | 1


def gaussian_kernels(sigma: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.int16]:
    """One-dimensional Gaussian kernels in 8-bit fixed point, as OpenCV's ``GaussianBlur`` uses for 8-bit images.

    Rounding errors are diffused from the border inwards and the centre takes the rest, so that each
    kernel sums to exactly 256.

    Args:
        sigma: (B,) standard deviations in pixels, positive.
        size: odd number of taps of the result; each kernel has its own ``kernel_size(sigma)`` taps, centred.

    Returns:
        (B, size), in 1/256.

    Raises:
        ValueError: if a kernel does not fit into ``size`` taps.
    """
    taps = kernel_size(sigma)
    if taps.max(initial=1) > size:
        raise ValueError(f"sigma {sigma.max():.3g} needs {taps.max()} taps, more than the {size} there are.")
    offset = np.arange(size) - size // 2
    inside = np.abs(offset) <= taps[:, None] // 2
    weight = np.where(inside, np.exp(-np.square(offset) / (2 * np.square(np.maximum(sigma, 1e-6))[:, None])), 0.0)
    weight *= 256 / weight.sum(axis=1, keepdims=True)
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
    """(B, K) kernels to the (B, length, length) matrices that convolve a line with reflected (101) borders."""
    taps = kernels.shape[1]
    position = torch.arange(length, device=kernels.device)
    source = position[:, None] + torch.arange(taps, device=kernels.device) - taps // 2
    source = (length - 1) - ((length - 1) - source.abs()).abs()
    one_hot = (source[..., None] == position).to(torch.float32)  # (length, K, length)
    return torch.einsum("bk,ikj->bij", kernels.to(torch.float32), one_hot)


def gaussian_blur(images: Tensor, kernels: Tensor) -> Tensor:
    """Blur each image with its own separable kernel, borders reflected without repeating the edge pixel.

    Two batched matrix products with one banded matrix an image keep the batch axis, which a grouped
    convolution would fold into the channels. All products and sums are integers below 2^24 and all factors
    fit into 8 bits, so float32, TF32 and the TPU's bfloat16 passes give the same bits.

    Args:
        images: (B, C, H, W) with integer values in [0, 255], any dtype; H and W larger than half a kernel.
        kernels: (B, K) integers that sum to 256, see :func:`gaussian_kernels`.

    Returns:
        (B, C, H, W) float32 with integer values in [0, 255], rounded half up.
    """
    height, width = images.shape[-2:]
    if kernels.shape[1] // 2 >= min(height, width):
        raise ValueError(f"A blur of {kernels.shape[1]} taps needs images larger than {height}x{width}.")
    rows, columns = _banded(kernels, height), _banded(kernels, width).mT
    vertical = rows[:, None] @ images.to(torch.float32)  # up to 255 * 256
    vertical = vertical.flatten(1, 2)  # (B, C * H, W): a matrix for all channels
    high = torch.floor(vertical / 256)
    low = vertical.sub_(high, alpha=256)
    blurred = (high @ columns).mul_(256).add_(low @ columns)  # up to 255 * 65536
    return blurred.add_(32768).div_(65536).floor_().view(images.shape)
