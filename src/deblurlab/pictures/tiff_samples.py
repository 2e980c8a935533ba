"""Reads the samples of TIFF files of 8 and 16 bits as stored. Pillow would turn them and cut colours to 8 bits."""

import io
from typing import Any

import numpy as np
import tifffile
from PIL import Image
from tifffile import PHOTOMETRIC

from deblurlab.pictures.cmyk import cmyk_to_rgb
from deblurlab.pictures.picture import CMYK_TO_RGB, ONE_BIT_TO_8, RefusedPictureError, Samples

_KINDS = {
    PHOTOMETRIC.MINISBLACK: "grey",
    PHOTOMETRIC.MINISWHITE: "grey from white to black",
    PHOTOMETRIC.RGB: "RGB",
    PHOTOMETRIC.PALETTE: "a palette",
    PHOTOMETRIC.SEPARATED: "CMYK",
    PHOTOMETRIC.YCBCR: "YCbCr",
}


def read(data: bytes | memoryview, profile: bytes | None) -> tuple[Samples, str | None]:
    """The samples of a TIFF file.

    Args:
        data: The file's bytes.
        profile: The file's ICC profile.

    Returns:
        (H, W, 1 to 4) uint8 or uint16, and the conversion, see ``Picture.converted``.

    Raises:
        RefusedPictureError: If they are of an unsupported kind or number of bits.
    """
    with tifffile.TiffFile(io.BytesIO(data)) as opened:
        page = opened.pages.first
        # Pillow has refused huge pictures by the size that it reads, but a crafted file may state two sizes.
        if page.imagelength * page.imagewidth > 2 * (Image.MAX_IMAGE_PIXELS or 0):
            raise RefusedPictureError(f"is too large: {page.imagewidth}x{page.imagelength} pixels")
        photometric = PHOTOMETRIC(page.photometric)  # for an unknown kind, this raises an error with its number
        if (kind := _KINDS.get(photometric)) is None:
            raise RefusedPictureError(f"has pixels of kind {photometric.name}. Save it as RGB or grey")
        if page.bitspersample not in (1, 8, 16):
            raise RefusedPictureError(f"has {page.bitspersample} bits per sample. Save it with 8 or 16")
        samples = np.atleast_3d(_by_channel(page))
        colours = page.colormap
    if samples.dtype not in (np.bool_, np.uint8, np.uint16) or samples.shape[2] > 4:
        raise RefusedPictureError(f"has {samples.shape[2]} channels of {samples.dtype}. Save it as RGB or grey")
    converted = None
    if kind == "a palette" and colours is not None:
        return (colours.T[samples[..., 0].astype(np.intp)] >> 8).astype(np.uint8), None
    if samples.dtype == np.bool_:
        samples, converted = samples.astype(np.uint8) * np.uint8(255), ONE_BIT_TO_8
    if kind == "grey from white to black":
        samples = np.iinfo(samples.dtype).max - samples
    if kind == "CMYK":
        if samples.dtype != np.uint8 or samples.shape[2] != 4:
            raise RefusedPictureError("has CMYK pixels of other than four times 8 bits. Save it as RGB")
        samples, converted = np.asarray(cmyk_to_rgb(Image.fromarray(samples, "CMYK"), profile)), CMYK_TO_RGB
    return np.ascontiguousarray(samples), converted


def _by_channel(page: Any) -> Samples:
    """The samples of a page with the channels last, also if they are stored as one plane per channel."""
    samples: Samples = page.asarray()
    planes = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and samples.ndim == 3
    return np.moveaxis(samples, 0, -1) if planes else samples
