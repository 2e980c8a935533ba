"""The blur and the sharp image's spectrum, estimated from the blurred image's spectrum."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets.wiener.frequency_bands import BANDS, MIDDLES, FrequencyBands


class Estimate(NamedTuple):
    """The estimated blur and spectra of a batch's images. Its shapes do not depend on the size of the images.

    Attributes:
        sigma: (B,), the standard deviation of the blur, in pixels.
        variance: (B,), the expected squared error of sigma.
        log_power: (B, 3, BANDS, BANDS), the logarithm of the expected square of the sharp image's coefficients in each
            band.
        features: (B, F), the last hidden layer of the estimator, an input of the refinement.
    """

    sigma: Tensor
    variance: Tensor
    log_power: Tensor
    features: Tensor


class SpectralEstimator(nn.Module):
    """A perceptron with two hidden layers whose input is the spectrum of the blurred image in frequency bands.

    It estimates sigma with its uncertainty, and how the sharp image's spectrum differs from a typical one.

    Args:
        hidden: The number of units of each hidden layer.
        sigma_max: The largest sigma, in pixels.
    """

    def __init__(self, *, hidden: int, sigma_max: float) -> None:
        super().__init__()
        self.sigma_max = sigma_max
        self.read = nn.Linear(3 * BANDS * BANDS, hidden)
        self.think = nn.Linear(hidden, hidden)
        self.sigma = nn.Linear(hidden, 2)
        self.power = nn.Linear(hidden, 3 * BANDS * BANDS)
        self.typical = nn.Parameter(natural_log_power())
        for head in (self.sigma, self.power):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, coefficients: Tensor, noise: float) -> Estimate:
        """Estimate the blur and the sharp images' spectra.

        Args:
            coefficients: (B, 3, H, W), the blurred images' DCT-I; the first channel is the brightness.
            noise: The variance of the noise of a coefficient.
        """
        bands = FrequencyBands(coefficients)
        power = coefficients.square() / noise
        means = torch.log1p(bands.means(torch.stack((power[:, 0], power[:, 1] + power[:, 2]), dim=1)))
        usual = bands.means(torch.log1p(power[:, :1]))  # unlike the mean, it is not ruled by a few strong coefficients
        seen = torch.cat((means, usual), dim=1).flatten(1) / 8 - 0.5  # logarithms of about 2 to 20, now -0.25 to 2
        features = F.relu(self.read(seen))
        features = F.relu(self.think(features))
        position, log_error = self.sigma(features).unbind(dim=1)
        log_power = self.typical + 4 * self.power(features).unflatten(1, self.typical.shape)
        return Estimate(
            sigma=self.sigma_max * torch.sigmoid(2 * position),
            variance=(0.5 * torch.exp(log_error.clamp(-8, 2))).square(),  # untrained: an error of half a pixel
            log_power=log_power.clamp(-25, 10),
            features=features,
        )


def natural_log_power() -> Tensor:
    """The initial typical spectrum: about the log-power of natural images in each band, (3, BANDS, BANDS).

    Power is proportional to frequency to the power of -2.6. The colours have a twentieth or less of the brightness's.
    """
    coefficient = 31 * torch.tensor(MIDDLES).clamp(min=MIDDLES[1] / 2)  # the index in a line of 32 pixels
    brightness = 4 - 1.3 * torch.log(coefficient[:, None].square() + coefficient.square())
    brightness[0, 0] = 6  # the mean
    return torch.stack((brightness, brightness - 3, brightness - 4))
