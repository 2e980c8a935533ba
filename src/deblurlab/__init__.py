"""deblurlab: an experiment framework for image deblurring."""

__version__ = "0.1.0"
