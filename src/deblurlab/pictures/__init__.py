"""Picture files: which files are pictures, and one decoder for training, restoring and the page.

:func:`read` gives a :class:`Picture`, whatever a file's format; :func:`size` reads no more than the header. Pillow
reads JPEG, WebP, BMP and 8-bit PNG; imagecodecs and tifffile do what Pillow cannot: 16 bits per sample.
:mod:`deblurlab.pictures.folders` tells pictures from what systems leave beside them.
"""

from deblurlab.pictures.formats import SUFFIXES
from deblurlab.pictures.picture import Picture, Samples
from deblurlab.pictures.reading import read, read_file, size

__all__ = ["SUFFIXES", "Picture", "Samples", "read", "read_file", "size"]
