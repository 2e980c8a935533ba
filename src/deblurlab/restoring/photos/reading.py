"""Reads photographs as they are stored, and refuses what could not be written again as it was."""

from pathlib import Path

import numpy as np
from PIL import Image

from deblurlab.restoring.photos import png, tiff
from deblurlab.restoring.photos.photo import FORMATS, Photo, RefusedPictureError, Samples, photo_format


def read(file: Path) -> Photo:
    """Read a photograph.

    Raises:
        ValueError: naming the file, if it is no picture, is damaged or animated, or is of a kind that would not come
            back as it was: CMYK, 32 bits or one bit per sample.
    """
    try:
        with Image.open(file) as image:
            _require_one_picture(image)
            if image.format == "TIFF":
                samples = tiff.read_samples(file)
            elif image.format == "PNG" and png.bit_depth(file) == 16:
                samples = png.read_samples_of_16_bits(file)
            else:
                samples = _pillows_samples(image)
    except RefusedPictureError as error:
        raise ValueError(f"{file} {error}.") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{file} is too large: {error}.") from error
    except Exception as error:  # decoders raise errors of any type when a file is damaged
        reason = str(error).replace(str(file), "it") or type(error).__name__
        raise ValueError(f"{file} cannot be read as a picture: {reason.splitlines()[0]}.") from error
    channels = samples.shape[2]
    colour = samples[..., : 3 if channels > 2 else 1]
    return Photo(
        file=file,
        pixels=np.ascontiguousarray(np.broadcast_to(colour, (*samples.shape[:2], 3))),
        alpha=samples[..., -1] if channels in (2, 4) else None,
        grey=channels < 3,
    )


def _require_one_picture(image: Image.Image) -> None:
    if photo_format(image) not in FORMATS:
        raise RefusedPictureError(f"is a {image.format} file; JPEG, PNG, TIFF, WebP and BMP are supported")
    pictures = getattr(image, "n_frames", 1)  # only the classes of some formats have it
    if image.format != "MPO" and pictures > 1:
        raise RefusedPictureError(f"holds {pictures} pictures. Save them one by one")


def _pillows_samples(image: Image.Image) -> Samples:
    """8-bit samples, (H, W, C): C is 1 or 3, for grey or colour, and one more if there is transparency."""
    if image.mode not in ("L", "LA", "P", "PA", "RGB", "RGBA"):
        raise RefusedPictureError(f"has pixels of kind {image.mode}. Save it as RGB or grey of 8 or 16 bits")
    image.load()
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    samples = np.asarray(image)
    return samples[..., None] if samples.ndim == 2 else samples
