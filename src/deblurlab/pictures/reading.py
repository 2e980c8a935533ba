"""Decodes pictures of every format that is read, and names those that cannot be."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from deblurlab.pictures import tiff_samples
from deblurlab.pictures.cmyk import cmyk_to_rgb
from deblurlab.pictures.formats import FORMATS, not_read
from deblurlab.pictures.orientation import orientation
from deblurlab.pictures.picture import CMYK_TO_RGB, ONE_BIT_TO_8, Picture, RefusedPictureError, Samples
from deblurlab.pictures.png_chunks import bit_depth, is_plain, require_checksums

_FORMATS = tuple(FORMATS)
# Pillow refuses a PNG whose profile or one of whose texts has more than 1 MiB; all its texts may have 64.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
# libpng's warnings name no file, and are of interlaced pictures and odd profiles, whose pixels are read as they are.
logging.getLogger("imagecodecs").setLevel(logging.ERROR)


def read_file(file: Path) -> Picture:
    """Read a picture file, see :func:`read`; ValueError naming the file if that fails."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror}).") from error
    return read(data, str(file))


def read(data: bytes | memoryview, name: str) -> Picture:
    """Decode a picture.

    Palette pictures become RGB, CMYK becomes RGB by its profile, and one bit per pixel becomes 8.

    Args:
        data: The file's bytes.
        name: What an error calls the picture.

    Raises:
        ValueError: naming the picture, if it is none, is damaged, animated or too large, or is of a kind that is not
            read, such as 32 bits per sample.
    """
    if not len(data):
        raise ValueError(f"{name} is empty (0 bytes). Get the file again.")
    with _named(name, lambda: data), Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        return _read(image, data)


def size(file: Path | io.BytesIO, name: str) -> tuple[int, int]:
    """The height and width of a picture once it is upright; only the file's header is read.

    Args:
        file: The file, or its bytes.
        name: What an error calls it.

    Raises:
        ValueError: naming the picture, if it is none.
    """
    data = file.getvalue if isinstance(file, io.BytesIO) else file.read_bytes
    with _named(name, data), Image.open(file, formats=_FORMATS) as image:
        # Of a TIFF, Pillow itself tells the upright size.
        swapped = image.format != "TIFF" and orientation(image) >= 5
        return (image.width, image.height) if swapped else (image.height, image.width)


@contextmanager
def _named(name: str, data: Callable[[], bytes | memoryview]) -> Iterator[None]:
    """Turn whatever a decoder raises into a ValueError that names the picture.

    Args:
        name: What the error calls the picture.
        data: Gives the file's bytes, from which the error tells a picture of another format.
    """
    try:
        yield
    except UnidentifiedImageError as error:
        raise ValueError(f"{name} {not_read(data())}.") from error
    except RefusedPictureError as error:
        raise ValueError(f"{name} {error}.") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{name} is too large: {error} Cut or shrink it.") from error
    except Exception as error:  # decoders raise errors of any type when a file is damaged
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise ValueError(f"{name} cannot be read as a picture: {reason}. Get the file again.") from error


def _read(image: Image.Image, data: bytes | memoryview) -> Picture:
    pictures = getattr(image, "n_frames", 1)  # only the classes of some formats have it
    if image.format != "MPO" and pictures > 1:
        raise RefusedPictureError(f"holds {pictures} pictures. Save them one by one")
    profile, converted = image.info.get("icc_profile"), None
    if image.format == "PNG":
        require_checksums(data)
    if image.format == "TIFF":
        samples, converted = tiff_samples.read(data, profile)
    elif image.format == "PNG" and (bit_depth(data) == 16 or is_plain(data)):
        # Pillow keeps 8 bits of 16, and takes twice the time for what libpng gives as it is
        samples = np.atleast_3d(imagecodecs.png_decode(bytes(data)))
    else:
        samples, converted = _pillows_samples(image, profile)
    channels = samples.shape[2]
    colour = samples[..., : 3 if channels > 2 else 1]
    return Picture(
        pixels=np.ascontiguousarray(np.broadcast_to(colour, (*samples.shape[:2], 3))),
        alpha=samples[..., -1] if channels in (2, 4) else None,
        grey=channels < 3,
        orientation=orientation(image),
        profile=None if converted == CMYK_TO_RGB else profile,
        converted=converted,
    )


def _pillows_samples(image: Image.Image, profile: bytes | None) -> tuple[Samples, str | None]:
    """8-bit samples, (H, W, C): C is 1 or 3, for grey or colour, and one more if there is transparency."""
    converted = None
    image.load()
    if image.mode == "CMYK":
        image, converted = cmyk_to_rgb(image, profile), CMYK_TO_RGB
    elif image.mode == "1":
        image, converted = image.convert("L"), ONE_BIT_TO_8
    elif image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise RefusedPictureError(f"has pixels of kind {image.mode}. Save it as RGB or grey of 8 or 16 bits")
    samples = np.asarray(image)
    return samples[..., None] if samples.ndim == 2 else samples, converted
