"""Losses. Content losses return one value per image, so that scores can leave out the rows that fill up a batch."""

from deblurlab.losses.logcosh import LogCosh
from deblurlab.losses.wasserstein import Wasserstein, gradient_penalty

__all__ = ["LogCosh", "Wasserstein", "gradient_penalty"]
