"""Full-reference metrics that compare restored with sharp images. Each function returns one value per image."""

import torch
from torch import Tensor

from deblurlab.checks import require


def _clamped(restored: Tensor, sharp: Tensor) -> tuple[Tensor, Tensor]:
    return restored.clamp(0, 1).float(), sharp.clamp(0, 1).float()


def ssim(restored: Tensor, sharp: Tensor) -> Tensor:
    """Structural similarity (Wang et al., 2004), computed like ``tf.image.ssim``.

    It uses an 11x11 Gaussian window of sigma 1.5 at valid positions only, K1 = 0.01 and K2 = 0.03, and returns the mean
    over channels and positions.

    Args:
        restored: (B, C, H, W), H and W at least 11. Both batches are clamped to [0, 1].
        sharp: The same shape.

    Returns:
        (B,) in [-1, 1]; 1 if the images are equal.

    Raises:
        ValueError: If H or W is less than 11.
    """
    from kornia.metrics import ssim as ssim_map  # a slow import, which training needs only after its first steps

    require.large_enough_for_ssim("an image to be scored", (restored.shape[-2], restored.shape[-1]))
    restored, sharp = _clamped(restored, sharp)
    return ssim_map(restored, sharp, window_size=require.SSIM_WINDOW, eps=0.0, padding="valid").flatten(1).mean(dim=1)


def mse(restored: Tensor, sharp: Tensor) -> Tensor:
    """Mean squared error of two (B, C, H, W) batches, which are clamped to [0, 1]; (B,) in [0, 1]."""
    restored, sharp = _clamped(restored, sharp)
    return (restored - sharp).square().flatten(1).mean(dim=1)


def mae(restored: Tensor, sharp: Tensor) -> Tensor:
    """Mean absolute error of two (B, C, H, W) batches, which are clamped to [0, 1]; (B,) in [0, 1]."""
    restored, sharp = _clamped(restored, sharp)
    return (restored - sharp).abs().flatten(1).mean(dim=1)


def psnr(restored: Tensor, sharp: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of two (B, C, H, W) batches, which are clamped to [0, 1].

    Returns:
        (B,) in dB for a peak of 1; infinite if the images are equal.
    """
    return -10 * torch.log10(mse(restored, sharp))
