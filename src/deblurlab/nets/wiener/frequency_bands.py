"""Spectra of any size, told by as many numbers as there are bands."""

import torch
from torch import Tensor

# The middle of each band, as a share of the highest frequency: the coefficients of 32 pixels at low frequencies, where
# spectra are steep, and every second to fourth of them above.
MIDDLES = tuple(index / 31 for index in (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 17, 20, 23, 27, 31))
BANDS = len(MIDDLES)
_SHARPNESS = 0.7  # how far a band reaches, as a share of the distance to the next one


def _closeness(length: int, like: Tensor) -> Tensor:
    """(N, BANDS): how close each frequency of a line of N pixels is to each band, as the logarithm of a weight."""
    middles = torch.tensor(MIDDLES, device=like.device).type_as(like)
    distances = middles.diff()
    reach = _SHARPNESS / 2 * (torch.cat((distances[:1], distances)) + torch.cat((distances, distances[-1:])))
    frequency = torch.arange(length, device=like.device).type_as(like)
    return -((frequency[:, None] / frequency[-1] - middles) / reach).square()


class FrequencyBands:
    """Means of a spectrum over bands of frequencies, and spectra that are smooth between bands.

    A band is the product of one of 16 bands of vertical and one of 16 bands of horizontal frequencies. Weights fall off
    smoothly, so that every band has a mean, whatever the size of the image.

    Args:
        images: (B, C, H, W), whose size, type and place the bands are for; H and W are at least 2.
    """

    def __init__(self, images: Tensor) -> None:
        height, width = (_closeness(length, images) for length in images.shape[-2:])
        self._mean_rows, self._mean_columns = torch.softmax(height, dim=0).mT, torch.softmax(width, dim=0)
        self._rows, self._columns = torch.softmax(height, dim=1), torch.softmax(width, dim=1).mT

    def means(self, spectra: Tensor) -> Tensor:
        """(..., H, W) to (..., BANDS, BANDS)."""
        return self._mean_rows @ spectra @ self._mean_columns

    def spectra(self, bands: Tensor) -> Tensor:
        """(..., BANDS, BANDS) to (..., H, W): at each frequency a mean of the bands near it."""
        return self._rows @ bands @ self._columns
