"""Data sets: Lightning data modules that feed :class:`deblurlab.pair.Pair`."""

from deblurlab.data.cifar10 import CIFAR10
from deblurlab.data.sample import Sample

__all__ = ["CIFAR10", "Sample"]
