"""The blur of a batch, estimated and undone in the cosine transform."""

from typing import NamedTuple

import torch
from torch import Tensor

from deblurlab.nets.wiener.cosine_transform import CosineTransform
from deblurlab.nets.wiener.frequency_bands import FrequencyBands
from deblurlab.nets.wiener.gaussian_transfer import Kernels, gaussian_taps, transfer
from deblurlab.nets.wiener.opponent_colours import opponent, rgb
from deblurlab.nets.wiener.spectral_estimator import Estimate, SpectralEstimator
from deblurlab.nets.wiener.wiener_filter import wiener_filter

ROUNDING = 1 / 12 / 255**2  # the variance of what rounding to 8 bits changes


class Deconvolved(NamedTuple):
    """What the filter makes of a batch.

    Attributes:
        images: (B, 3, H, W) the filtered images, about [0, 1].
        bold: (B, 3, H, W) the same by a filter that takes more noise for detail.
        error: (B,) the root of the expected mean squared error of ``images``.
    """

    images: Tensor
    bold: Tensor
    error: Tensor


def estimate_blur(blurred: Tensor, estimator: SpectralEstimator) -> Estimate:
    """Estimate the blur and the spectrum of images, (B, 3, H, W) in [0, 1], of which H and W are at least 2."""
    with torch.autocast(blurred.device.type, enabled=False):
        images = blurred.contiguous()
        return estimator(CosineTransform(images)(opponent(images)), ROUNDING)  # type: ignore[no-any-return]


def deconvolve(blurred: Tensor, estimate: Estimate, radius: int) -> Deconvolved:
    """Undo the Gaussian blur of images, as far as their noise allows.

    Args:
        blurred: (B, 3, H, W) in [0, 1]; H and W are at least 2.
        estimate: The blur and the spectra of these images, or of larger ones that they are parts of.
        radius: The largest radius of a kernel, in pixels.
    """
    with torch.autocast(blurred.device.type, enabled=False):
        images = blurred.contiguous()
        transform = CosineTransform(images)
        coefficients = transform(opponent(images))
        kernels = gaussian_taps(estimate.sigma, radius)
        factors, slopes = _factors(kernels, images)
        gain, bold, error = wiener_filter(
            transfer=factors,
            slope=slopes,
            variance=estimate.variance,
            log_power=FrequencyBands(images).spectra(estimate.log_power),
            noise=rounding_noise(kernels),
        )
        filtered, sharper = (rgb(transform.inverse(coefficients * one)) for one in (gain, bold))
        return Deconvolved(filtered, sharper, torch.sqrt(error.mean(dim=(1, 2, 3)) + 1e-12))


def _factors(kernels: Kernels, images: Tensor) -> tuple[Tensor, Tensor]:
    """The factors of the blur of rows and columns, (B, 1, H, W), and their derivatives by sigma."""
    rows, columns = (transfer(kernels.taps, length) for length in images.shape[-2:])
    row_slopes, column_slopes = (transfer(kernels.slopes, length) for length in images.shape[-2:])
    slopes = row_slopes[:, :, None] * columns[:, None] + rows[:, :, None] * column_slopes[:, None]
    return (rows[:, :, None] * columns[:, None])[:, None], slopes[:, None]


def rounding_noise(kernels: Kernels) -> Tensor:
    """The variance of what rounding changes, (B,): none where the kernel is a single pixel.

    A kernel with little weight beside the middle hardly changes a pixel before it is rounded, and rounding restores the
    pixel. With three 256ths on each side, what it changes is about half of what is rounded at random.
    """
    beside = 128 * (1 - kernels.taps[:, 0])
    return ROUNDING * beside.square() / (beside.square() + 9)
