"""Estimates the blur of a batch and undoes it, both in the domain of the cosine transform."""

from typing import NamedTuple

import torch
from torch import Tensor

from deblurlab.nets.wiener.cosine_transform import CosineTransform
from deblurlab.nets.wiener.frequency_bands import FrequencyBands
from deblurlab.nets.wiener.gaussian_transfer import Kernels, gaussian_taps, transfer
from deblurlab.nets.wiener.opponent_colours import opponent, rgb
from deblurlab.nets.wiener.spectral_estimator import Estimate, SpectralEstimator
from deblurlab.nets.wiener.wiener_filter import wiener_filter

ROUNDING = 1 / 12 / 255**2  # the variance of the error of rounding to 8 bits, for images in [0, 1]


class Deconvolved(NamedTuple):
    """The filtered images of a batch.

    Attributes:
        images: (B, 3, H, W), about [0, 1].
        bold: (B, 3, H, W), the result of the bolder filter, which has more detail and more noise.
        error: (B,), the root of the expected mean squared error of ``images``.
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
    """Undo the Gaussian blur of images as far as their rounding noise allows.

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
    """The factors by which the blur multiplies each coefficient, (B, 1, H, W), and their derivatives w.r.t. sigma."""
    rows, columns = (transfer(kernels.taps, length) for length in images.shape[-2:])
    row_slopes, column_slopes = (transfer(kernels.slopes, length) for length in images.shape[-2:])
    slopes = row_slopes[:, :, None] * columns[:, None] + rows[:, :, None] * column_slopes[:, None]
    return (rows[:, :, None] * columns[:, None])[:, None], slopes[:, None]


def rounding_noise(kernels: Kernels) -> Tensor:
    """The variance of the rounding error of blurred images, (B,): 0 where the kernel is a single pixel.

    A kernel with little weight on the neighbours hardly changes a pixel, and rounding undoes that change. With three
    256ths on each side, the variance is half of that of random rounding errors.
    """
    side = 128 * (1 - kernels.taps[:, 0])  # the weight on each side of the middle, in 256ths
    return ROUNDING * side.square() / (side.square() + 9)
