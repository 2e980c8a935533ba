"""Networks: plain modules, known to YAML by their class path. All but the critic restore images in [0, 1]."""

from deblurlab.nets.msdeblur import MSDeblur
from deblurlab.nets.patchgan import PatchGAN
from deblurlab.nets.rednet30 import REDNet30
from deblurlab.nets.resnet16 import ResNet16
from deblurlab.nets.unet16 import UNet16

__all__ = ["MSDeblur", "PatchGAN", "REDNet30", "ResNet16", "UNet16"]
