"""Reads photographs, and writes them with new pixels in their own format.

:func:`read` returns a :class:`Photo`, :func:`write` writes it in its source's format. Pillow writes JPEG, WebP and BMP;
``jpeg.py``, ``png.py``, ``tiff.py`` and ``bmp.py`` add what Pillow cannot write: 16 bits, transparency in BMP, and
unchanged metadata.
"""

from deblurlab.restoring.photos.photo import Photo, read
from deblurlab.restoring.photos.writing import write

__all__ = ["Photo", "read", "write"]
