"""Loads weights that were trained in Keras into our networks.

``keras_file`` reads Keras' HDF5 files, ``study_layers`` maps the layers of the study's networks to the modules of ours,
and ``conversion`` combines the two.
"""

from deblurlab.converting.conversion import fill_from
from deblurlab.converting.study_layers import study_of

__all__ = ["fill_from", "study_of"]
