"""Decodes pictures of all supported formats. Errors name the picture."""

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
from deblurlab.pictures.png_chunks import bit_depth, exif, is_plain, require_checksums
from deblurlab.pictures.regular_file import require_file

_FORMATS = tuple(FORMATS)
# Pillow refuses a PNG whose profile or one of whose texts has more than 1 MiB; all its texts may have 64.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
# libpng's warnings name no file. They are about interlaced pictures and odd profiles, whose pixels are read correctly.
logging.getLogger("imagecodecs").setLevel(logging.ERROR)


def read_file(file: Path) -> Picture:
    """Read a picture file, see :func:`read`. A ValueError names the file."""
    require_file(file)
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
        name: The name of the picture in an error.

    Raises:
        ValueError: If it is not a picture, is damaged, animated or too large, or of an unsupported kind, such as 32
            bits per sample.
    """
    if not len(data):
        raise ValueError(f"{name} is empty (0 bytes). Get the file again.")
    with _named(name, lambda: data), Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        return _read(image, data)


def size(file: Path | io.BytesIO, name: str) -> tuple[int, int]:
    """The height and width of the upright picture; only the file's header is read.

    Args:
        file: The file, or its bytes.
        name: The name of the picture in an error.

    Raises:
        ValueError: If it is not a picture.
    """
    if isinstance(file, Path):
        require_file(file)
    data = file.getvalue if isinstance(file, io.BytesIO) else file.read_bytes
    with _named(name, data), Image.open(file, formats=_FORMATS) as image:
        # For a TIFF, Pillow already returns the upright size.
        swapped = image.format != "TIFF" and orientation(image) >= 5
        return (image.width, image.height) if swapped else (image.height, image.width)


@contextmanager
def _named(name: str, data: Callable[[], bytes | memoryview]) -> Iterator[None]:
    """Turn any error of a decoder into a ValueError that names the picture.

    Args:
        name: The name of the picture.
        data: Returns the file's bytes, by which pictures of unsupported formats are recognised.
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
        if isinstance(error, OSError) and error.errno is not None:  # an error of the disk, not of a decoder
            raise ValueError(f"{name} cannot be read ({error.strerror}).") from error
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise ValueError(f"{name} cannot be read as a picture: {reason}. Get the file again.") from error


def _read(image: Image.Image, data: bytes | memoryview) -> Picture:
    pictures = getattr(image, "n_frames", 1)  # only the classes of some formats have it
    if image.format != "MPO" and pictures > 1:
        raise RefusedPictureError(f"holds {pictures} pictures. Save them one by one")
    profile, converted = image.info.get("icc_profile"), None
    if image.format == "PNG":
        require_checksums(data)
        if (last := exif(data)) is not None:  # Pillow only knows it here if it stands before the pixels
            image.info["exif"] = last
    if image.format == "TIFF":
        samples, converted = tiff_samples.read(data, profile)
    elif image.format == "PNG" and (bit_depth(data) == 16 or is_plain(data) or _has_transparent_grey(image)):
        # Pillow would cut 16 bits to 8, overlooks a transparent grey of fewer bits, and takes twice the time for plain
        # files
        samples = np.atleast_3d(imagecodecs.png_decode(bytes(data)))
        converted = ONE_BIT_TO_8 if image.mode == "1" else None
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


def _has_transparent_grey(image: Image.Image) -> bool:
    return image.mode in ("1", "L") and "transparency" in image.info


def _pillows_samples(image: Image.Image, profile: bytes | None) -> tuple[Samples, str | None]:
    """8-bit samples, (H, W, C), and the conversion. C is 1 or 3, for grey or colour, plus one for transparency."""
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
