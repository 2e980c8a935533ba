"""Picture files to RGB pixels: one decoder and one resize for everything that data/ reads."""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torch.nn import functional as F

# (H, W, 3) RGB.
Pixels = npt.NDArray[np.uint8]

_EXIF_ORIENTATION = 0x0112


def decode(data: bytes | memoryview, name: str) -> Pixels:
    """Decodes a picture and turns it upright, as its EXIF orientation says.

    Grey, palette and CMYK pictures become RGB, 16-bit values keep their upper byte, and an alpha channel is dropped
    where it hides nothing.

    Args:
        data: The file's bytes, in any format that Pillow reads.
        name: What an error calls the picture.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: naming the picture, if it is no picture, broken, too large, partly transparent or not 8 or
            16 bits deep.
    """
    if not len(data):
        raise ValueError(f"{name} is empty (0 bytes). Get the file again.")
    try:
        with Image.open(io.BytesIO(data)) as image:
            ImageOps.exif_transpose(image, in_place=True)
            return np.asarray(_to_rgb(image, name))
    except Image.DecompressionBombError as error:
        raise ValueError(f"{name} is too large: {error}. Cut or shrink it.") from error
    except _UnsupportedError as error:
        raise ValueError(str(error)) from error
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises any of these for a broken file
        raise ValueError(f"{name} cannot be read as a picture ({error}). Get the file again.") from error


class _UnsupportedError(Exception):
    """A whole picture of a kind that this module does not convert."""


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "RGB":
        image.load()
        return image
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise _UnsupportedError(f"{name} has 32-bit pixels. Save it with 8 or 16 bits per channel.")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        lowest = image.getextrema()[-1]
        if lowest != (255, 255):
            raise _UnsupportedError(f"{name} is partly transparent. Save it without an alpha channel.")
    return image.convert("RGB")


def decode_file(path: Path) -> Pixels:
    """Reads and decodes a picture file, see :func:`decode`; ValueError naming the file if that fails."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}).") from error
    return decode(data, str(path))


def dimensions(path: Path | io.BytesIO) -> tuple[int, int]:
    """The height and width of a picture once it is upright; only the file's header is read.

    Raises:
        ValueError: naming the file, if it is no picture.
    """
    try:
        with Image.open(path) as image:
            # PNG's own getexif decodes all pixels, because EXIF data may stand behind them; the base class's does not.
            # Orientations 5 to 8 swap height and width. Of a TIFF, Pillow itself tells the upright size.
            turned = Image.Image.getexif(image).get(_EXIF_ORIENTATION, 1) >= 5 and image.format != "TIFF"
            return (image.width, image.height) if turned else (image.height, image.width)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} cannot be read as a picture ({error}). Get the file again.") from error


def resize(pixels: Pixels, size: tuple[int, int], *, antialias: bool) -> Pixels:
    """Resizes a picture bilinearly; the centres of pixels lie at half integers.

    Args:
        pixels: (H, W, 3) uint8.
        size: The new height and width.
        antialias: Widen the filter with the scale, as Pillow does. False interpolates between the four nearest
            pixels only, as ``tf.image.resize`` does by default, so that fine detail aliases.
    """
    if pixels.shape[:2] == size:
        return pixels
    if antialias:
        return np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BILINEAR))
    planes = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].float()
    resized = F.interpolate(planes, size, mode="bilinear", align_corners=False).round().byte()
    return np.ascontiguousarray(resized[0].permute(1, 2, 0).numpy())
