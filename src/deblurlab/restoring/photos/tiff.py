"""Writes TIFF files of 8 and 16 bits with tifffile, with the tags of another file."""

from pathlib import Path
from typing import Any

import tifffile

from deblurlab.pictures.picture import Samples

_KEPT_TAGS = {
    274: "orientation",
    700: "XMP",
    33723: "IPTC",
    270: "description",
    271: "maker of the camera",
    272: "model of the camera",
    305: "software",
    306: "date",
    315: "artist",
    33432: "copyright",
}


def write_samples(samples: Samples, file: Path, *, like: Path, profile: bytes | None) -> None:
    """Write a TIFF file with another's metadata.

    Orientation, XMP, IPTC, resolution and texts are kept, the camera's EXIF is not. If the other file is compressed in
    any way, the new one is compressed by Deflate.

    Args:
        samples: (H, W, 1 to 4) uint8 or uint16.
        file: The file to write.
        like: The TIFF file whose metadata are copied, except for its profile.
        profile: The ICC profile of the samples.
    """
    with tifffile.TiffFile(like) as source:
        page = source.pages.first
        kept = [_as_extratag(page.tags[code]) for code in _KEPT_TAGS if code in page.tags]
        alpha_kind = (page.extrasamples or (tifffile.EXTRASAMPLE.UNASSALPHA,))[-1:]
        compressed = page.compression != tifffile.COMPRESSION.NONE
        resolution, unit = page.resolution, page.resolutionunit
    channels = samples.shape[2]
    tifffile.imwrite(
        file,
        samples.squeeze(2) if channels == 1 else samples,
        photometric="rgb" if channels > 2 else "minisblack",
        extrasamples=alpha_kind if channels in (2, 4) else None,
        compression="zlib" if compressed else None,
        predictor=compressed,
        iccprofile=profile,
        resolution=resolution,
        resolutionunit=unit,
        extratags=kept,
        metadata=None,
        software=False,
    )


def _as_extratag(tag: Any) -> tuple[int, int, int, Any, bool]:
    """A tag in tifffile's form for writing: code, type, count, value, and whether it is written once only."""
    value = tag.value.encode() if isinstance(tag.value, str) else tag.value  # a str must be ASCII, bytes may be UTF-8
    return tag.code, tag.dtype, tag.count, value, True
