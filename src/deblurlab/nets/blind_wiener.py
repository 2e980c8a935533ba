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

    In the DCT-I, a blur with mirrored borders multiplies each coefficient by a factor. From the blurred image's
    spectrum a perceptron estimates sigma, the error of that estimate, and the spectrum of the sharp image. With these,
    the Wiener filter undoes the blur as far as the rounding to 8 bits allows, and predicts its own error. A U-Net at
    half resolution corrects the rest, in units of that error, so that an image that is already sharp stays unchanged::

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
        hidden: The number of units of each hidden layer of the perceptron.
        widths: The U-Net's channels at half and at a quarter of the resolution.
        blocks: The number of the U-Net's residual blocks on the way down, at the bottom and on the way up.
        refine: Whether the U-Net corrects the filtered image.

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
        """Restore images with their own estimate, or with ``estimate``, that of the larger images they are cut from."""
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
        """Estimate the blur and the spectrum of each image, (B, 3, H, W) in [0, 1]; H and W are at least 2."""
        return estimate_blur(blurred, self.estimator)

    def estimate_sigma(self, blurred: Tensor) -> Tensor:
        """Estimate the sigma of each image's blur, in pixels: (B, 3, H, W) in [0, 1] to (B,)."""
        return self.estimate(blurred).sigma
