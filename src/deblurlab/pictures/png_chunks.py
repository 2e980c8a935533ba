"""The chunks of PNG files.

A PNG file (ISO/IEC 15948) is a signature of 8 bytes and then chunks, of which the header chunk IHDR is the first::

    chunk:  length of the content, 4 bytes, big-endian | name, 4 bytes | content | checksum, 4 bytes
    IHDR:   width, 4 bytes | height, 4 bytes | bit depth, 1 byte | colour type, compression, filter, interlace
"""

import zlib
from collections.abc import Iterator

from deblurlab.pictures.picture import RefusedPictureError

_SIGNATURE_BYTES = 8
_NAME_OFFSET, _CONTENT_OFFSET, _CHECKSUM_BYTES = 4, 8, 4
_HEADER_CHUNK_BYTES = _CONTENT_OFFSET + 13 + _CHECKSUM_BYTES
_BIT_DEPTH_OFFSET = _SIGNATURE_BYTES + _CONTENT_OFFSET + 8
_PALETTE = 3  # the colour type
# Chunks about colour, EXIF, resolution, texts and time, which stay true with new pixels.
COLOUR_CHUNKS = {b"cHRM", b"cICP", b"gAMA", b"iCCP", b"sRGB"}
_KEPT_CHUNKS = COLOUR_CHUNKS | {b"eXIf", b"pHYs", b"tEXt", b"zTXt", b"iTXt", b"tIME"}


def bit_depth(png: bytes | memoryview) -> int:
    """The bits per sample of a PNG file: 1, 2, 4, 8 or 16. Pillow gives them for grey pictures only."""
    return png[_BIT_DEPTH_OFFSET]


def is_plain(png: bytes | memoryview) -> bool:
    """Whether a PNG file has 8 bits per sample, no palette, no transparent colour, no interlacing and no late chunks.

    Late chunks follow the pixels, and may contain the orientation.
    """
    bits, colour_type, _, _, interlaced = png[_BIT_DEPTH_OFFSET : _BIT_DEPTH_OFFSET + 5]
    if bits != 8 or colour_type == _PALETTE or interlaced:
        return False
    names = [name for name, _ in chunks(bytes(png))]
    return b"tRNS" not in names and names[-2:] == [b"IDAT", b"IEND"]


def exif(png: bytes | memoryview) -> bytes | None:
    """The EXIF of a PNG file, with the name that precedes it in a JPEG; None without one. It may follow the pixels."""
    found = (chunk for name, chunk in chunks(bytes(png)) if name == b"eXIf")
    return next((b"Exif\0\0" + chunk[_CONTENT_OFFSET:-_CHECKSUM_BYTES] for chunk in found), None)


def require_checksums(png: bytes | memoryview) -> None:
    """Check the checksums of all chunks that affect the pixels. Pillow does not check those of the pixels themselves.

    Raises:
        RefusedPictureError: If a checksum is wrong, or the file ends within a chunk.
    """
    for name, chunk in chunks(bytes(png)):
        decides = name[:1].isupper() or name == b"tRNS"  # the standard calls the former critical
        content = int.from_bytes(chunk[:_NAME_OFFSET], "big")
        if decides and len(chunk) < _CONTENT_OFFSET + content + _CHECKSUM_BYTES:
            raise RefusedPictureError(f"is truncated: it ends within its chunk {str(name)[2:-1]}. Get the file again")
        if decides and zlib.crc32(chunk[_NAME_OFFSET:-_CHECKSUM_BYTES]).to_bytes(4, "big") != chunk[-_CHECKSUM_BYTES:]:
            raise RefusedPictureError(
                f"is damaged: the checksum of its chunk {str(name)[2:-1]} is wrong. Get the file again"
            )
        if name == b"IEND":
            break  # what follows is not a part of the picture


def with_chunks_of(source: bytes, new: bytes, *, kept: set[bytes] = _KEPT_CHUNKS) -> bytes:
    """Insert the metadata of the PNG file ``source`` into the PNG file ``new``, directly after its header.

    Args:
        source: A PNG file.
        new: A PNG file without metadata.
        kept: The names of the chunks that are copied.
    """
    header = _SIGNATURE_BYTES + _HEADER_CHUNK_BYTES
    copied = (chunk for name, chunk in chunks(source) if name in kept)
    return new[:header] + b"".join(copied) + new[header:]


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and all bytes (with length, name and checksum) of each chunk of a PNG file."""
    start = _SIGNATURE_BYTES
    while start < len(png):
        length = int.from_bytes(png[start : start + _NAME_OFFSET], "big")
        end = start + _CONTENT_OFFSET + length + _CHECKSUM_BYTES
        yield png[start + _NAME_OFFSET : start + _CONTENT_OFFSET], png[start:end]
        start = end
