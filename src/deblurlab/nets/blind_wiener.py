"""BlindWiener: estimates the blur, inverts it with a Wiener filter, and corrects the result with a small network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from deblurlab.nets.image_size import require_multiple
from deblurlab.nets.wiener.deconvolution import deconvolve, estimate_blur
from deblurlab.nets.wiener.gaussian_transfer import gaussian_radius
from deblurlab.nets.wiener.refinement import Refinement
from deblurlab.nets.wiener.spectral_estimator import Estimate, SpectralEstimator


class BlindWiener(nn.Module):
    r"""Blind deconvolution of a Gaussian blur (after deep Wiener deconvolution, Dong et al., 2020).

    The DCT-I turns a blur with mirrored borders into factors, one for each coefficient. From the blurred image's
    spectrum a perceptron estimates sigma, its own error, and the spectrum of the sharp image. The Wiener filter for
    these undoes the blur as far as the rounding to 8 bits allows, and tells the error that it expects. A U-Net at half
    resolution corrects what is left, in units of that error, so that an image that is sharp already stays as it is::

        blurred -> DCT-I -> bands -> perceptron -> sigma, spectrum
                     |                                  |
                     +----------- filter <--------------+
                                    | inverse DCT-I
                                filtered -------------------- + -> restored
                                    |                         |
                       blurred -> U-Net -> times the expected error

    With the sizes of ``model=blind_wiener`` it has 694,478 parameters.

    Args:
        sigma_max: The largest sigma that it can estimate, in pixels.
        hidden: The number of units of the perceptron's hidden layers.
        widths: The U-Net's channels at half and at a quarter of the resolution.
        blocks: The U-Net's residual blocks on the way down, at the bottom and on the way up.
        refine: False returns the filtered image, without the U-Net.

    Shape: (B, 3, H, W) in [0, 1] to (B, 3, H, W) in (-inf, inf). H and W must be multiples of 4; ValueError otherwise.
    """

    size_multiple = 4

    def __init__(
        self, *, sigma_max: float, hidden: int, widths: Sequence[int], blocks: Sequence[int], refine: bool = True
    ) -> None:
        super().__init__()
        self.radius = gaussian_radius(sigma_max)
        self.estimator = SpectralEstimator(hidden=hidden, sigma_max=sigma_max)
        self.refinement = Refinement(inputs=9, widths=widths, blocks=blocks, features=hidden) if refine else None

    def forward(self, blurred: Tensor, estimate: Estimate | None = None) -> Tensor:
        """Restore images with their own estimate, or with that of the larger images that they are parts of."""
        require_multiple(blurred, self.size_multiple, "BlindWiener")
        if estimate is None:
            estimate = self.estimate(blurred)
        filtered, bold, error = deconvolve(blurred, estimate, self.radius)
        if self.refinement is None:
            return filtered
        seen = torch.cat((filtered.clamp(-0.1, 1.1), blurred, bold.clamp(-0.2, 1.2)), dim=1)
        correction: Tensor = self.refinement(seen.contiguous(memory_format=torch.channels_last), estimate.features)
        restored: Tensor = filtered + error[:, None, None, None] * correction.type_as(filtered)
        return restored

    def estimate(self, blurred: Tensor) -> Estimate:
        """The blur and the spectrum of each image, (B, 3, H, W) in [0, 1]; H and W are at least 2."""
        return estimate_blur(blurred, self.estimator)

    def estimate_sigma(self, blurred: Tensor) -> Tensor:
        """The sigma of each image's blur, in pixels: (B, 3, H, W) in [0, 1] to (B,)."""
        return self.estimate(blurred).sigma
