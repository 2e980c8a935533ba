"""deblurlab: an experiment framework for image deblurring."""

from deblurlab.signals import early as early

__version__ = "0.1.0"
