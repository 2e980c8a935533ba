"""Data sets: Lightning data modules that feed :class:`deblurlab.interfaces.Pair`."""

from deblurlab.data.modules.cifar10 import CIFAR10
from deblurlab.data.modules.folder import Folder
from deblurlab.data.modules.sample import Sample
from deblurlab.data.modules.video_frames import VideoFrames
from deblurlab.data.sources.layouts import Layout

__all__ = ["CIFAR10", "Folder", "Layout", "Sample", "VideoFrames"]
