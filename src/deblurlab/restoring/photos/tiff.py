"""TIFF files through tifffile: samples of 8 and 16 bits as they are stored, and tags that stay as they are."""

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from deblurlab.restoring.photos.photo import RefusedPictureError, Samples

_ICC_PROFILE = 34675
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


def read_samples(file: Path) -> Samples:
    """The samples of a TIFF file, (H, W, 1 to 4) uint8 or uint16. Pillow would turn them and cut colours to 8 bits.

    Raises:
        RefusedPictureError: if they are neither RGB nor grey, or of another number of bits.
    """
    with tifffile.TiffFile(file) as opened:
        page = opened.pages.first
        # Pillow has refused huge pictures by the size that it has read; a crafted file may say two sizes.
        if page.imagelength * page.imagewidth > 2 * (Image.MAX_IMAGE_PIXELS or 0):
            raise RefusedPictureError(f"is too large: {page.imagewidth}x{page.imagelength} pixels")
        if page.photometric not in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.MINISBLACK):
            raise RefusedPictureError(f"has pixels of kind {page.photometric!r}. Save it as RGB or grey")
        if page.bitspersample not in (8, 16):
            raise RefusedPictureError(f"has {page.bitspersample} bits per sample. Save it with 8 or 16")
        samples = page.asarray()
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and samples.ndim == 3:
            samples = np.moveaxis(samples, 0, -1)  # stored as one plane per channel
    samples = np.atleast_3d(samples)
    if samples.dtype not in (np.uint8, np.uint16) or samples.shape[2] > 4:
        raise RefusedPictureError(f"has {samples.shape[2]} channels of {samples.dtype}. Save it as RGB or grey")
    return np.ascontiguousarray(samples)


def write_samples(samples: Samples, file: Path, *, like: Path) -> None:
    """Write a TIFF file with another's metadata.

    Orientation, ICC profile, XMP, IPTC, resolution and texts are kept, the camera's EXIF is not. If the other file is
    compressed, in whatever way, the new one is compressed by Deflate.

    Args:
        samples: (H, W, 1 to 4) uint8 or uint16.
        file: The file to write.
        like: The TIFF file whose metadata is copied.
    """
    with tifffile.TiffFile(like) as source:
        page = source.pages.first
        kept = [_as_extratag(page.tags[code]) for code in _KEPT_TAGS if code in page.tags]
        profile = page.tags[_ICC_PROFILE].value if _ICC_PROFILE in page.tags else None
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
    """A tag as tifffile takes it for writing: code, type, count, value, and that it is written once."""
    value = tag.value.encode() if isinstance(tag.value, str) else tag.value  # a str must be ASCII, bytes may be UTF-8
    return tag.code, tag.dtype, tag.count, value, True
