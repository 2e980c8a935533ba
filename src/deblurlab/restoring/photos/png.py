"""Writes PNG files of 8 and 16 bits, with the ancillary chunks of another file."""

from pathlib import Path

import imagecodecs
import numpy as np

from deblurlab.pictures.picture import Samples
from deblurlab.pictures.png_chunks import with_chunks_of


def write_samples(samples: Samples, file: Path, *, like: Path) -> None:
    """Write a PNG file with another's metadata.

    Args:
        samples: (H, W, 1 to 4) uint8 or uint16.
        file: The file to write.
        like: The PNG file whose chunks about colour, EXIF, resolution, texts and time are copied.
    """
    file.write_bytes(with_chunks_of(like.read_bytes(), encoded(samples)))


def encoded(samples: Samples) -> bytes:
    """A PNG file of samples, (H, W, 1 to 4) uint8 or uint16, without metadata."""
    plain = np.ascontiguousarray(samples).ravel().reshape(samples.shape)  # a picture of one pixel may have any strides
    # Noise cannot be compressed; a byte per row for its filter, and the headers of zlib and PNG, are added. The limit
    # that imagecodecs itself assumes is too low for narrow pictures.
    most = int(1.02 * (plain.nbytes + len(plain))) + 4096
    return bytes(imagecodecs.png_encode(plain, out=most))
