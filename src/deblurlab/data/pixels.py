"""Image files to RGB pixels: one decoder and one resize for everything that is read from disk."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torch.nn import functional as F

Pixels = npt.NDArray[np.uint8]


def decode(data: bytes | memoryview, name: str) -> Pixels:
    """An encoded picture as (H, W, 3) uint8, upright as its EXIF orientation says.

    Grey and palette pictures become RGB, CMYK is converted, 16-bit values keep their upper byte, and an alpha
    channel is dropped where it hides nothing.

    Args:
        data: the file's bytes, in any format Pillow reads.
        name: what an error calls the picture.

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
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for broken files, format by format
        raise ValueError(f"{name} cannot be read as a picture ({error}). Get the file again.") from error


class _UnsupportedError(Exception):
    pass


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "RGB":
        image.load()
        return image
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise _UnsupportedError(f"{name} has 32-bit pixels. Save it with 8 or 16 bits a channel.")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        lowest = image.getextrema()[-1]
        if lowest != (255, 255):
            raise _UnsupportedError(f"{name} is partly transparent. Save it without an alpha channel.")
    return image.convert("RGB")


def dimensions(path: Any) -> tuple[int, int]:
    """(height, width) of the upright picture in a file; only its header is read.

    Raises:
        ValueError: naming the file, if it is no picture.
    """
    try:
        with Image.open(path) as image:
            # PngImageFile.getexif would decode all pixels to look behind them, too
            # orientations 5 to 8 lie on their side; of a TIFF, Pillow itself says the upright size
            turned = Image.Image.getexif(image).get(0x0112, 1) >= 5 and image.format != "TIFF"
            return (image.width, image.height) if turned else (image.height, image.width)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} cannot be read as a picture ({error}). Get the file again.") from error


def resize(pixels: Pixels, size: tuple[int, int], *, antialias: bool) -> Pixels:
    """Bilinear resize of (H, W, 3) uint8 to ``size`` (height, width), pixel centres at half integers.

    Args:
        pixels: the picture.
        size: the new height and width.
        antialias: widen the filter with the scale, as Pillow does. False interpolates between the four
            nearest pixels only, as ``tf.image.resize`` does by default: that lets fine detail alias.
    """
    if pixels.shape[:2] == size:
        return pixels
    if antialias:
        return np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BILINEAR))
    planes = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].float()
    resized = F.interpolate(planes, size, mode="bilinear", align_corners=False).round().byte()
    return np.ascontiguousarray(resized[0].permute(1, 2, 0).numpy())
