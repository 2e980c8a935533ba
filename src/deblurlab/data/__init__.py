"""Data sets: Lightning data modules that feed a task batches of :class:`deblurlab.interfaces.Pair`.

There are two kinds of data modules in ``modules/``. One holds sharp images in memory and blurs them on the training
device (CIFAR10, Sample). The other reads pairs of pictures from files as they are needed (VideoFrames, PublishedPairs,
Folder). Data sets of your own derive from their bases, BlurredImages and PairedFrames. A pair of pictures has a
different type at each stage::

    on disk                     decoded                one batch, on the host      one batch, on the device
    FilePair (two paths)   ->   PixelPair (arrays)  -> PairBatch (bytes, flips) -> Pair (float32 in [0, 1])
    ShardRow (two files'
      bytes, in a shard)   ->   PixelPair (arrays)  -> PairBatch (bytes, flips) -> Pair

    images in memory            one batch, drawn       one batch, on the host      one batch, on the device
    (N, 3, H, W) uint8     ->   BatchDraw           -> SharpBatch (bytes,       -> Pair
                                (indices, sigma)       kernels, flips)

The folders and files, from the lowest layer to the highest:

- ``arrays.py``, ``pixels.py``, ``splits.py``: array types, picture files to pixels, the images held out for validation.
- ``blur/``: the blur of sharp images.
- ``shards/``: prepared frames in Parquet files, on disk or in a bucket.
- ``sources/``: the sources from which pairs are read, one at a time.
- ``batches/``: the images of each batch of an epoch, and the loaders that make the batches.
- ``modules/``: the data modules, which configurations name through this package.
- ``preparing/``: the work of the command ``prepare``.
"""

from deblurlab.data.blur.camera import CameraBlur
from deblurlab.data.modules.cifar10 import CIFAR10
from deblurlab.data.modules.folder import Folder
from deblurlab.data.modules.in_memory import BlurredImages
from deblurlab.data.modules.published_pairs import PublishedPairs
from deblurlab.data.modules.sample import Sample
from deblurlab.data.modules.streamed import PairedFrames
from deblurlab.data.modules.video_frames import VideoFrames
from deblurlab.data.sources.layouts import Layout
from deblurlab.data.sources.listed_layouts import ListedLayout
from deblurlab.data.sources.pair_source import PairSource, PixelPair

__all__ = [
    "CIFAR10",
    "BlurredImages",
    "CameraBlur",
    "Folder",
    "Layout",
    "ListedLayout",
    "PairSource",
    "PairedFrames",
    "PixelPair",
    "PublishedPairs",
    "Sample",
    "VideoFrames",
]
