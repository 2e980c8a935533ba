"""A loss on the Fourier transform of the error."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn


class FrequencyL1(nn.Module):
    """The mean absolute error of the Fourier transform of each image (as in MIMO-UNet, Cho et al., 2021).

    It is the mean over channels and frequencies of the absolute real and imaginary parts of the error's transform. The
    transform is orthonormal (``norm="ortho"``), so that values do not depend on the size of the images. Papers that do
    not normalise it have smaller weights for this loss: multiply them by the square root of H W.

    The transform is two matrix products in each direction instead of an FFT, which PyTorch/XLA lacks on TPUs. For
    patches of up to a few hundred pixels that is a small part of a training step.

    Shape: two (B, C, H, W) batches to (B,).
    """

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        error = restored - sharp
        (rows_cos, rows_sin), (columns_cos, columns_sin) = (
            _transform(size, error.dtype, error.device) for size in error.shape[-2:]
        )
        by_cos, by_sin = rows_cos @ error, rows_sin @ error
        real = by_cos @ columns_cos - by_sin @ columns_sin
        imaginary = by_cos @ columns_sin + by_sin @ columns_cos
        return (real.abs() + imaginary.abs()).flatten(1).mean(dim=1) / 2


@lru_cache(maxsize=8)  # a test may have pictures of many sizes, whose matrices would fill the memory
def _transform(size: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """The matrices of the Fourier transform of ``size`` values: real and negative imaginary part, (size, size) each.

    They are kept on the device, because a transfer in each step would have the host wait for the step.
    """
    angles = 2 * np.pi / size * (np.outer(np.arange(size), np.arange(size)) % size)
    with torch.inference_mode(False):  # a validation may be the first to need them, and training then could not
        cosine, sine = (
            torch.from_numpy(part / np.sqrt(size)).to(dtype).to(device) for part in (np.cos(angles), np.sin(angles))
        )
    return cosine, sine
