"""Copies the metadata of JPEG files byte by byte: EXIF in several segments, XMP, IPTC, profile, comment.

A JPEG file (ITU-T T.81) is a start marker and then segments, before the first scan::

    segment:  255 | marker | length of the rest, 2 bytes, big-endian | content
"""

from collections.abc import Iterator

_START_BYTES = 2
_SCAN, _COMMENT = 0xDA, 0xFE
_JFIF = (0xE0, b"JFIF\0")
_PROFILE = (0xE2, b"ICC_PROFILE\0")
# Marker and beginning of the segments that stay true with new pixels; Photoshop's hold IPTC.
_KEPT = {
    _JFIF,
    _PROFILE,
    (0xE1, b"Exif\0"),
    (0xE1, b"http://ns.adobe.com/x"),
    (0xED, b"Photoshop 3.0\0"),
    (_COMMENT, b""),
}


def with_segments_of(source: bytes, new: bytes, *, with_profile: bool) -> bytes:
    """Insert the metadata of the JPEG file ``source`` at the beginning of the JPEG file ``new``.

    Args:
        source: A JPEG file.
        new: A JPEG file as Pillow writes it, without metadata.
        with_profile: Whether the source's ICC profile is copied, too.
    """
    kept = _KEPT if with_profile else _KEPT - {_PROFILE}
    copied = [(marker, whole) for marker, content, whole in segments(source) if _is_one_of(marker, content, kept)]
    first = [whole for marker, content, whole in segments(new) if _is_one_of(marker, content, {_JFIF})]
    rest = new[_START_BYTES + sum(map(len, first)) :]
    has_resolution = any(marker == _JFIF[0] for marker, _ in copied)
    return new[:_START_BYTES] + b"".join([*([] if has_resolution else first), *(whole for _, whole in copied)]) + rest


def _is_one_of(marker: int, content: bytes, kinds: set[tuple[int, bytes]]) -> bool:
    return any(marker == kind and content.startswith(beginning) for kind, beginning in kinds)


def segments(jpeg: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield marker, content and all bytes of each segment before the first scan, without bytes between segments."""
    start = _START_BYTES
    while (start := jpeg.find(b"\xff", start)) >= 0 and start + 4 <= len(jpeg):
        marker = jpeg[start + 1]
        if marker == 0xFF:  # a fill byte
            start += 1
            continue
        if marker == _SCAN:
            return
        end = start + 2 + int.from_bytes(jpeg[start + 2 : start + 4], "big")
        yield marker, jpeg[start + 4 : end], jpeg[start:end]
        start = end
