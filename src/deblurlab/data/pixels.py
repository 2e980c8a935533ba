"""Reads picture files as upright 8-bit RGB pixels, and resizes them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.nn import functional as F

from deblurlab import pictures

# (H, W, 3) RGB.
Pixels = npt.NDArray[np.uint8]


def decode(data: bytes | memoryview, name: str) -> Pixels:
    """Decode a picture and turn it upright according to its EXIF orientation.

    Grey, palette and CMYK pictures become RGB, 16-bit values keep their upper byte, and an alpha channel is dropped if
    the picture is opaque.

    Args:
        data: The file's bytes, in any format of :data:`deblurlab.pictures.SUFFIXES`.
        name: The name of the picture in an error.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: If :func:`deblurlab.pictures.read` refuses the picture or it is partly transparent.
    """
    return opaque(pictures.read(data, name), name)


def decode_file(path: Path) -> Pixels:
    """Read and decode a picture file, see :func:`decode`. A ValueError names the file."""
    return opaque(pictures.read_file(path), str(path))


def opaque(picture: pictures.Picture, name: str) -> Pixels:
    """The pixels of a picture, upright, (H, W, 3) uint8.

    Raises:
        ValueError: If it is partly transparent.
    """
    alpha = picture.alpha
    if alpha is not None and alpha.min() < np.iinfo(alpha.dtype).max:
        raise ValueError(f"{name} is partly transparent. Save it without an alpha channel.")
    return picture.upright()


def resize(pixels: Pixels, size: tuple[int, int], *, antialias: bool) -> Pixels:
    """Resize a picture bilinearly; the centres of pixels are at half integers.

    Args:
        pixels: (H, W, 3) uint8.
        size: The new height and width.
        antialias: Widen the filter with the scale, as Pillow does. False interpolates between the four nearest
            pixels only, as ``tf.image.resize`` does by default, so that fine detail aliases.

    Returns:
        (height, width, 3) uint8.
    """
    if pixels.shape[:2] == size:
        return pixels
    if antialias:
        return np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BILINEAR))
    planes = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].float()
    resized = F.interpolate(planes, size, mode="bilinear", align_corners=False).round().byte()
    return np.ascontiguousarray(resized[0].permute(1, 2, 0).numpy())
