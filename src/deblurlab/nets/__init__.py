"""Networks: plain PyTorch, each in a file that reads as the figure of its paper. YAML knows them by these class paths.

All but the critic, PatchGAN, restore images in [0, 1] and keep the contract of :class:`deblurlab.interfaces.Network`.
``keras`` has the conventions that the study's networks inherited from Keras, ``image_size`` the check of an image's
height and width, ``channel_norm`` layer normalisation over channels, ``local_mean`` means over windows.

FFTformer, Restormer, MPRNet and M3SNet are networks of this package, too. Their code is in other packages, so they are
imported only when they are used: see :mod:`deblurlab.nets.published`.
"""

from typing import Any

from deblurlab.nets import published
from deblurlab.nets.blind_wiener import BlindWiener
from deblurlab.nets.msdeblur import MSDeblur
from deblurlab.nets.nafnet import NAFNet
from deblurlab.nets.patchgan import PatchGAN
from deblurlab.nets.rednet30 import REDNet30
from deblurlab.nets.resnet16 import ResNet16
from deblurlab.nets.unet16 import UNet16

__all__ = ["BlindWiener", "MSDeblur", "NAFNet", "PatchGAN", "REDNet30", "ResNet16", "UNet16"]


def __getattr__(name: str) -> Any:
    if name in published.NAMES:
        return published.network_class(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
