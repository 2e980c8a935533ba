"""Losses. Content losses return one value per image, so that scores can leave out the rows that fill up a batch.

Losses of PyTorch and kornia can be named in a configuration, too: ``per_image`` reduces them image by image.
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
