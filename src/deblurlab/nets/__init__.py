"""Networks: plain modules, known to YAML by their class path."""

from deblurlab.nets.rednet30 import REDNet30
from deblurlab.nets.resnet16 import ResNet16
from deblurlab.nets.unet16 import UNet16

__all__ = ["REDNet30", "ResNet16", "UNet16"]
