"""Losses: each gives one value an image, so that a batch can be masked and a table can be averaged."""

from deblurlab.losses.logcosh import LogCosh

__all__ = ["LogCosh"]
