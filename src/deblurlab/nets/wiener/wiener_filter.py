"""The best linear filter for a blur that is not known exactly, and the error that it leaves."""

from typing import NamedTuple

import torch
from torch import Tensor

_BOLDNESS = 16


class Filter(NamedTuple):
    """A filter of coefficients.

    Attributes:
        gain: (B, C, H, W) what to multiply each coefficient by.
        bold: (B, C, H, W) the gain if noise and doubt had a sixteenth of their power: more detail and more noise.
        error: (B, C, H, W) the expected squared error of each coefficient that was multiplied by ``gain``.
    """

    gain: Tensor
    bold: Tensor
    error: Tensor


def wiener_filter(*, transfer: Tensor, slope: Tensor, variance: Tensor, log_power: Tensor, noise: Tensor) -> Filter:
    r"""The filter with the least expected squared error (Wiener, 1949), for a blur that is not known exactly.

    The blur multiplies a coefficient of power p by a factor with the mean h and the variance v, and noise of variance n
    is added. Then the best gain, and the error that it leaves, are

    .. math:: \frac{h}{h^2 + v + n/p}, \qquad p \, \frac{v + n/p}{h^2 + v + n/p}.

    Args:
        transfer: (B, 1, H, W) h.
        slope: (B, 1, H, W) its derivative by sigma; v is its square times ``variance``.
        variance: (B,) the variance of sigma.
        log_power: (B, C, H, W) the logarithm of p.
        noise: (B,) n.
    """
    unknown = slope.square() * variance[:, None, None, None]
    doubt = unknown + noise[:, None, None, None] * torch.exp(-log_power) + 1e-12
    energy = transfer.square()
    return Filter(
        gain=transfer / (energy + doubt),
        bold=transfer / (energy + doubt / _BOLDNESS),
        error=torch.exp(log_power) * doubt / (energy + doubt),
    )
