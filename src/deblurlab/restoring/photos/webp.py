"""Finds out whether a WebP file is lossless, which Pillow does not say.

A WebP file (RFC 9649) is a RIFF container, "RIFF" | size, 4 bytes | "WEBP" and then chunks::

    chunk:  name, 4 bytes | length of the content, 4 bytes, little-endian | content | a byte more if the length is odd

The chunk ``VP8L`` holds a lossless picture, ``VP8 `` a lossy one. Others, such as an ICC profile, may precede it.
"""

from collections.abc import Iterator

_RIFF_HEADER_BYTES = 12
_CHUNK_HEADER_BYTES = 8


def is_lossless(webp: bytes) -> bool:
    """Whether a WebP file, given by its content, holds a lossless picture."""
    return b"VP8L" in chunk_names(webp)


def chunk_names(webp: bytes) -> Iterator[bytes]:
    """Yield the name of each chunk of a WebP file."""
    start = _RIFF_HEADER_BYTES
    while start + _CHUNK_HEADER_BYTES <= len(webp):
        yield webp[start : start + 4]
        length = int.from_bytes(webp[start + 4 : start + _CHUNK_HEADER_BYTES], "little")
        start += _CHUNK_HEADER_BYTES + length + length % 2
