"""Photographs as files: read, and written again as they were, with new pixels.

:func:`read` gives a :class:`Photo`, :func:`write` writes it in its source's format. Pillow writes JPEG, WebP and BMP;
``jpeg.py``, ``png.py``, ``tiff.py`` and ``bmp.py`` do what Pillow does not: 16 bits, transparency in BMP, and metadata
as it stands in the file.
"""

from deblurlab.restoring.photos.photo import Photo, read
from deblurlab.restoring.photos.writing import write

__all__ = ["Photo", "read", "write"]
