"""What Pillow does not do with PNG: samples of 16 bits, and ancillary chunks that stay as they are.

A PNG file (ISO/IEC 15948) is a signature of 8 bytes and then chunks, of which the header chunk IHDR is the first::

    chunk:  length of the content, 4 bytes, big-endian | name, 4 bytes | content | checksum, 4 bytes
    IHDR:   width, 4 bytes | height, 4 bytes | bit depth, 1 byte | colour type, compression, filter, interlace
"""

from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np

from deblurlab.restoring.photos.photo import Samples

_SIGNATURE_BYTES = 8
_NAME_OFFSET, _CONTENT_OFFSET, _CHECKSUM_BYTES = 4, 8, 4
_HEADER_CHUNK_BYTES = _CONTENT_OFFSET + 13 + _CHECKSUM_BYTES
_BIT_DEPTH_OFFSET = _SIGNATURE_BYTES + _CONTENT_OFFSET + 8
# Chunks about colour, EXIF, resolution, texts and time: all that new pixels leave true.
_KEPT_CHUNKS = {b"cHRM", b"cICP", b"gAMA", b"iCCP", b"sRGB", b"eXIf", b"pHYs", b"tEXt", b"zTXt", b"iTXt", b"tIME"}


def bit_depth(file: Path) -> int:
    """The bits per sample of a PNG file: 1, 2, 4, 8 or 16. Pillow tells it of grey pictures only."""
    with file.open("rb") as stream:
        return stream.read(_BIT_DEPTH_OFFSET + 1)[_BIT_DEPTH_OFFSET]


def read_samples_of_16_bits(file: Path) -> Samples:
    """The samples of a 16-bit PNG file, (H, W, 1 to 4) uint16. Pillow would cut colours to 8 bits."""
    return np.atleast_3d(imagecodecs.png_decode(file.read_bytes()))


def write_samples(samples: Samples, file: Path, *, like: Path) -> None:
    """Write a PNG file with another's metadata.

    Args:
        samples: (H, W, 1 to 4) uint8 or uint16.
        file: The file to write.
        like: The PNG file whose chunks about colour, EXIF, resolution, texts and time are copied.
    """
    file.write_bytes(with_chunks_of(like.read_bytes(), bytes(imagecodecs.png_encode(samples))))


def with_chunks_of(source: bytes, new: bytes) -> bytes:
    """The PNG file ``new`` with the metadata of the PNG file ``source``, which stands right behind the header."""
    header = _SIGNATURE_BYTES + _HEADER_CHUNK_BYTES
    kept = (chunk for name, chunk in chunks(source) if name in _KEPT_CHUNKS)
    return new[:header] + b"".join(kept) + new[header:]


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name of each chunk of a PNG file, and the whole chunk with its length, name and checksum."""
    start = _SIGNATURE_BYTES
    while start < len(png):
        length = int.from_bytes(png[start : start + _NAME_OFFSET], "big")
        end = start + _CONTENT_OFFSET + length + _CHECKSUM_BYTES
        yield png[start + _NAME_OFFSET : start + _CONTENT_OFFSET], png[start:end]
        start = end
