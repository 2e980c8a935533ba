"""Weights that others have trained in Keras, put into our networks.

``keras_file`` reads Keras' HDF5 files, ``study_layers`` knows the layers of the study's networks and where each of them
stands in ours, and ``conversion`` brings the two together.
"""

from deblurlab.converting.conversion import fill_from
from deblurlab.converting.study_layers import study_of

__all__ = ["fill_from", "study_of"]
