"""Losses. Content losses return one value per image, so that scores can leave out images that only fill up a batch.

A configuration can also name losses of PyTorch and kornia: ``per_image`` makes them return one value per image.
"""

from deblurlab.losses.combined import MultiScale, WeightedSum
from deblurlab.losses.frequency import FrequencyL1
from deblurlab.losses.logcosh import LogCosh
from deblurlab.losses.pixelwise import L1, MSE, Charbonnier, PSNRLoss
from deblurlab.losses.reduction import per_image, require_per_image
from deblurlab.losses.wasserstein import Wasserstein, gradient_penalty

__all__ = [
    "L1",
    "MSE",
    "Charbonnier",
    "FrequencyL1",
    "LogCosh",
    "MultiScale",
    "PSNRLoss",
    "Wasserstein",
    "WeightedSum",
    "gradient_penalty",
    "per_image",
    "require_per_image",
]
