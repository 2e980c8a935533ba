"""The blur and the sharp image's spectrum, estimated from the blurred image's spectrum."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets.wiener.frequency_bands import BANDS, MIDDLES, FrequencyBands


class Estimate(NamedTuple):
    """What is known of a batch's images before they are restored. It does not depend on the size of the images.

    Attributes:
        sigma: (B,) standard deviation of the blur, in pixels.
        variance: (B,) the expected squared error of sigma.
        log_power: (B, 3, BANDS, BANDS) logarithm of the expected square of the sharp image's coefficients in each band.
        features: (B, F) what the estimate was made of, for the refinement.
    """

    sigma: Tensor
    variance: Tensor
    log_power: Tensor
    features: Tensor


class SpectralEstimator(nn.Module):
    """A perceptron with two hidden layers that reads the spectrum of the blurred image, in bands.

    It returns sigma with its uncertainty, and by how much the sharp image's spectrum differs from a typical one.

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
        """Estimate the blur.

        Args:
            coefficients: (B, 3, H, W) of the blurred image's DCT-I; the first channel is the brightness.
            noise: The variance of the noise of a coefficient.
        """
        bands = FrequencyBands(coefficients)
        power = coefficients.square() / noise
        means = torch.log1p(bands.means(torch.stack((power[:, 0], power[:, 1] + power[:, 2]), dim=1)))
        usual = bands.means(torch.log1p(power[:, :1]))  # a few strong coefficients make a high mean, but are not usual
        features = F.relu(self.read(torch.cat((means, usual), dim=1).flatten(1) / 8 - 0.5))
        features = F.relu(self.think(features))
        position, log_error = self.sigma(features).unbind(dim=1)
        log_power = self.typical + 4 * self.power(features).unflatten(1, self.typical.shape)
        return Estimate(
            sigma=self.sigma_max * torch.sigmoid(2 * position),
            variance=(0.5 * torch.exp(log_error.clamp(-8, 2))).square(),  # an untrained network is half a pixel off
            log_power=log_power.clamp(-25, 10),
            features=features,
        )


def natural_log_power() -> Tensor:
    """The logarithm of the power of about natural images' coefficients in each band, (3, BANDS, BANDS), for a start.

    It falls with the frequency to the power of 2.6, and the colours have a twentieth of the power of the brightness.
    """
    coefficient = 31 * torch.tensor(MIDDLES).clamp(min=MIDDLES[1] / 2)  # its number in a line of 32 pixels
    brightness = 4 - 1.3 * torch.log(coefficient[:, None].square() + coefficient.square())
    brightness[0, 0] = 6  # the mean
    return torch.stack((brightness, brightness - 3, brightness - 4))
