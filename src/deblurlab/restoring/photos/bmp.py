"""Writes BMP files with transparency, which Pillow can only read.

A file has a header of 14 bytes, Microsoft's BITMAPV4HEADER of 108 bytes, which gives the position of each channel in a
pixel's 32 bits, and then the rows from the bottom to the top.
"""

import struct

import numpy as np

from deblurlab.pictures.picture import Samples

_HEADERS_BYTES = 14 + 108
_BIT_FIELDS, _SRGB = 3, b"BGRs"


def encoded(samples: Samples, *, dpi: tuple[float, float]) -> bytes:
    """The bytes of a BMP file.

    Args:
        samples: (H, W, 4) uint8, RGB and transparency.
        dpi: The resolution to state in the file, horizontally and vertically, in pixels per inch.
    """
    height, width, _ = samples.shape
    pixels = np.ascontiguousarray(samples[::-1, :, [2, 1, 0, 3]]).tobytes()
    per_metre = [round(one / 0.0254) for one in dpi]
    file_header = struct.pack("<2sIII", b"BM", _HEADERS_BYTES + len(pixels), 0, _HEADERS_BYTES)
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, _BIT_FIELDS, len(pixels), *per_metre, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    return file_header + header + masks + _SRGB + bytes(48) + pixels
