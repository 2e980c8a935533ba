"""Means of a spectrum over a fixed number of frequency bands, whatever the size of the image."""

import torch
from torch import Tensor

# The middle of each band, as a share of the highest frequency: at low frequencies, where spectra are steep, each of the
# 32 coefficients of 32 pixels, and every second to fourth coefficient above.
MIDDLES = tuple(index / 31 for index in (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 17, 20, 23, 27, 31))
BANDS = len(MIDDLES)
_REACH = 0.7  # the width of a band's weights, as a share of the distance to the next band


def _closeness(length: int, like: Tensor) -> Tensor:
    """The log-weight of each frequency of a line of N = ``length`` pixels in each band, (N, BANDS)."""
    middles = torch.tensor(MIDDLES, device=like.device).type_as(like)
    distances = middles.diff()
    reach = _REACH / 2 * (torch.cat((distances[:1], distances)) + torch.cat((distances, distances[-1:])))
    frequency = torch.arange(length, device=like.device).type_as(like)
    return -((frequency[:, None] / frequency[-1] - middles) / reach).square()


class FrequencyBands:
    """Converts spectra to means over frequency bands, and such means back to smooth spectra.

    A band is the product of one of 16 bands of vertical and one of 16 bands of horizontal frequencies. The weights fall
    off smoothly, so that every band has a mean, whatever the size of the image.

    Args:
        images: (B, C, H, W), of the size, dtype and device that the bands are for; H and W are at least 2.
    """

    def __init__(self, images: Tensor) -> None:
        height, width = (_closeness(length, images) for length in images.shape[-2:])
        self._mean_rows, self._mean_columns = torch.softmax(height, dim=0).mT, torch.softmax(width, dim=0)
        self._rows, self._columns = torch.softmax(height, dim=1), torch.softmax(width, dim=1).mT

    def means(self, spectra: Tensor) -> Tensor:
        """(..., H, W) to (..., BANDS, BANDS): the weighted mean of the spectrum in each band."""
        return self._mean_rows @ spectra @ self._mean_columns

    def spectra(self, bands: Tensor) -> Tensor:
        """(..., BANDS, BANDS) to (..., H, W): at each frequency, a weighted mean of the bands near it."""
        return self._rows @ bands @ self._columns
