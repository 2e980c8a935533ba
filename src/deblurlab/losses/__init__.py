"""Losses: content losses give one value an image, so that a batch can be masked and a table can be averaged."""

from deblurlab.losses.logcosh import LogCosh
from deblurlab.losses.wasserstein import Wasserstein, gradient_penalty

__all__ = ["LogCosh", "Wasserstein", "gradient_penalty"]
