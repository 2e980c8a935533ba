"""Image quality, one value an image, then the mean over images."""

import torch
from kornia.metrics import ssim as ssim_map
from torch import Tensor
from torchmetrics import Metric

from deblurlab.interfaces import ContentLoss


def _clamped(restored: Tensor, sharp: Tensor) -> tuple[Tensor, Tensor]:
    return restored.clamp(0, 1).float(), sharp.clamp(0, 1).float()


def ssim(restored: Tensor, sharp: Tensor) -> Tensor:
    """Structural similarity (Wang et al., 2004), as ``tf.image.ssim``: 11x11 Gaussian window of sigma 1.5,
    valid windows only, K1 = 0.01, K2 = 0.03, mean over channels and positions.

    Args:
        restored: (B, C, H, W), H and W at least 11, clamped to [0, 1] here.
        sharp: the same shape and range.

    Returns:
        (B,) in [-1, 1]; 1 where the images are equal.
    """
    restored, sharp = _clamped(restored, sharp)
    return ssim_map(restored, sharp, window_size=11, eps=0.0, padding="valid").flatten(1).mean(dim=1)


def mse(restored: Tensor, sharp: Tensor) -> Tensor:
    """Mean squared error of two (B, C, H, W) batches clamped to [0, 1]; (B,) in [0, 1]."""
    restored, sharp = _clamped(restored, sharp)
    return (restored - sharp).square().flatten(1).mean(dim=1)


def mae(restored: Tensor, sharp: Tensor) -> Tensor:
    """Mean absolute error of two (B, C, H, W) batches clamped to [0, 1]; (B,) in [0, 1]."""
    restored, sharp = _clamped(restored, sharp)
    return (restored - sharp).abs().flatten(1).mean(dim=1)


def psnr(restored: Tensor, sharp: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, peak 1, of each image of two (B, C, H, W) batches; (B,), inf where equal."""
    return -10 * torch.log10(mse(restored, sharp))


def score(restored: Tensor, sharp: Tensor, loss: ContentLoss) -> dict[str, Tensor]:
    """All scores of two (B, C, H, W) batches, each (B,) float32. The loss sees the images unclamped."""
    restored, sharp = restored.float(), sharp.float()
    return {
        "loss": loss(restored, sharp),
        "ssim": ssim(restored, sharp),
        "psnr": psnr(restored, sharp),
        "mse": mse(restored, sharp),
        "mae": mae(restored, sharp),
    }


class ImageScores(Metric):
    """Means over images of what :func:`score` gives, and the number of ``images``.

    An image without error has infinite PSNR: it is left out of that mean and counted in ``infinite_psnr``.
    """

    full_state_update = False
    names = ("loss", "ssim", "psnr", "mse", "mae")

    def __init__(self) -> None:
        super().__init__()
        self.images: Tensor
        self.infinite_psnr: Tensor
        for name in self.names:
            self.add_state(name, torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("images", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("infinite_psnr", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, scores: dict[str, Tensor], valid: Tensor) -> None:
        """Add scores, each (B,), of the images where ``valid`` (B,) is True."""
        infinite = scores["psnr"].isinf()
        for name in self.names:
            keep = valid & ~infinite if name == "psnr" else valid
            total = torch.where(keep, scores[name], 0).sum()
            setattr(self, name, getattr(self, name) + total)
        self.images += valid.sum()
        self.infinite_psnr += (valid & infinite).sum()

    def compute(self) -> dict[str, Tensor]:
        """The means, and the counts ``images`` and ``infinite_psnr``: scalar tensors. A mean over no image is NaN."""
        finite = self.images - self.infinite_psnr
        means = {name: getattr(self, name) / (finite if name == "psnr" else self.images) for name in self.names}
        return means | {"images": self.images, "infinite_psnr": self.infinite_psnr}
