"""Picture files: their formats, and one decoder for training, restoring and the page.

:func:`read` returns a :class:`Picture`, whatever a file's format; :func:`size` reads only the header. Pillow reads
JPEG, WebP, BMP and 8-bit PNG; imagecodecs and tifffile read what Pillow cannot: 16 bits per sample.
:mod:`deblurlab.pictures.folders` distinguishes pictures from the files that systems add to folders.
:mod:`deblurlab.pictures.reflection` continues pictures beyond their edges, where a blur or a network needs pixels.
"""

from deblurlab.pictures.formats import SUFFIXES
from deblurlab.pictures.picture import Picture, Samples
from deblurlab.pictures.reading import read, read_file, size

__all__ = ["SUFFIXES", "Picture", "Samples", "read", "read_file", "size"]
