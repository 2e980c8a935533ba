"""Data sets: Lightning data modules that feed :class:`deblurlab.pair.Pair`."""

from deblurlab.data.cifar10 import CIFAR10
from deblurlab.data.folder import Folder
from deblurlab.data.frames import Layout
from deblurlab.data.sample import Sample
from deblurlab.data.video import VideoFrames

__all__ = ["CIFAR10", "Folder", "Layout", "Sample", "VideoFrames"]
