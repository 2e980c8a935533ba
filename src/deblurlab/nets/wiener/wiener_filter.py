"""The best linear filter for a blur that is not known exactly, and its expected error."""

from typing import NamedTuple

import torch
from torch import Tensor

_BOLDNESS = 16


class Filter(NamedTuple):
    """A filter in the domain of the transform.

    Attributes:
        gain: (B, C, H, W), the factor of each coefficient.
        bold: (B, C, H, W), the gain for a sixteenth of the noise and of the blur's uncertainty. It leaves more detail,
            and more noise.
        error: (B, C, H, W), the expected squared error of each coefficient after multiplication by ``gain``.
    """

    gain: Tensor
    bold: Tensor
    error: Tensor


def wiener_filter(*, transfer: Tensor, slope: Tensor, variance: Tensor, log_power: Tensor, noise: Tensor) -> Filter:
    r"""The filter with the least expected squared error (Wiener, 1949), for a blur that is not known exactly.

    The blur multiplies a coefficient of power p by a factor with mean h and variance v, and noise of variance n is
    added. Then the best gain and its expected squared error are

    .. math:: \frac{h}{h^2 + v + n/p}, \qquad p \, \frac{v + n/p}{h^2 + v + n/p}.

    Args:
        transfer: (B, 1, H, W), h.
        slope: (B, 1, H, W), the derivative of h with respect to sigma; v is its square times ``variance``.
        variance: (B,), the variance of sigma.
        log_power: (B, C, H, W), the logarithm of p.
        noise: (B,), n.
    """
    blur_variance = slope.square() * variance[:, None, None, None]
    uncertainty = blur_variance + noise[:, None, None, None] * torch.exp(-log_power) + 1e-12
    energy = transfer.square()
    return Filter(
        gain=transfer / (energy + uncertainty),
        bold=transfer / (energy + uncertainty / _BOLDNESS),
        error=torch.exp(log_power) * uncertainty / (energy + uncertainty),
    )
