"""What a photograph is here: its samples as the file stores them, and the file itself."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

Samples = npt.NDArray[Any]

# Pillow's name of each format that is read and written: the suffixes of files of that format.
FORMATS = {
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
}
SUFFIXES = {suffix for suffixes in FORMATS.values() for suffix in suffixes}


class RefusedPictureError(Exception):
    """A picture would not come back as it was. The message goes on where the file's name ends: "is too large"."""


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photograph's samples as its file stores them (not yet turned as EXIF says), and the file.

    Attributes:
        file: The file that it was read from. Its metadata is read from there again when the photograph is written.
        pixels: (H, W, 3) uint8 or uint16; the three channels are equal if ``grey``.
        alpha: (H, W) of the same type, or None if the file has no transparency.
        grey: Whether the file has one channel of brightness instead of three of colour.
    """

    file: Path
    pixels: Samples
    alpha: Samples | None
    grey: bool

    def upright(self) -> npt.NDArray[np.uint8]:
        """The pixels for the screen, (H, W, 3) uint8, turned as EXIF says: H and W may be exchanged."""
        eight_bits = self.pixels if self.pixels.dtype == np.uint8 else (self.pixels >> 8).astype(np.uint8)
        with Image.open(self.file) as source:
            picture = Image.fromarray(eight_bits)
            orientation = ExifTags.Base.Orientation
            picture.getexif()[orientation] = source.getexif().get(orientation, 1)
            return np.asarray(ImageOps.exif_transpose(picture))

    def with_pixels(self, pixels: Samples) -> "Photo":
        """The photograph of the same file with other pixels of the same shape and type."""
        assert (pixels.shape, pixels.dtype) == (self.pixels.shape, self.pixels.dtype)
        return replace(self, pixels=pixels)


def photo_format(image: Image.Image) -> str | None:
    """Pillow's name of an open file's format.

    Phones append a second picture, for depth or brightness, to a JPEG, which Pillow then calls MPO. That second
    picture is left out, and the file is a JPEG.
    """
    return "JPEG" if image.format == "MPO" else image.format
