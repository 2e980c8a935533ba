"""Photographs as files: read, and written again as they were, with new pixels.

:func:`read` gives a :class:`Photo`, :func:`write` writes it in its source's format. Pillow reads and writes JPEG, WebP,
BMP and 8-bit PNG; ``tiff.py`` and ``png.py`` do what Pillow cannot: 16 bits, and metadata as it stands in the file.
"""

from deblurlab.restoring.photos.photo import SUFFIXES, Photo, Samples
from deblurlab.restoring.photos.reading import read
from deblurlab.restoring.photos.writing import write

__all__ = ["SUFFIXES", "Photo", "Samples", "read", "write"]
