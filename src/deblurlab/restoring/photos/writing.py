"""Writes photographs in the format of their source, with its metadata."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, JpegImagePlugin

from deblurlab.files.whole_file import whole_file
from deblurlab.pictures.formats import format_of
from deblurlab.pictures.picture import Picture, Samples
from deblurlab.restoring.photos import bmp, jpeg, png, tiff, webp
from deblurlab.restoring.photos.photo import Photo

_WEBP_QUALITY = 90
# Pillow's numbers of the subsamplings of a JPEG, by the factors across and down of its first channel.
_SUBSAMPLINGS = {(1, 1): 0, (2, 1): 1, (2, 2): 2}


def write(photo: Photo, file: Path, *, quality: int | None = None) -> None:
    """Write a photograph in its source's format, completely or not at all.

    EXIF, ICC profile and transparency are kept, and the quantisation tables and subsampling of a JPEG. For a TIFF, see
    ``tiff.write_samples``.

    Args:
        photo: The photograph.
        file: A new file, with a suffix of the source's format.
        quality: Quality of a JPEG or a lossy WebP, 1 to 100. None keeps the quality of a JPEG, and takes 90 for a
            lossy WebP, whose original quality is unknown.

    Raises:
        OSError: If the file cannot be written, or the photograph's source can no longer be read.
    """
    samples = _samples(photo.picture)
    with whole_file(file) as partial, Image.open(photo.file) as source:
        kind = format_of(source)
        if kind == "TIFF":
            tiff.write_samples(samples, partial, like=photo.file, profile=photo.picture.profile)
        elif kind == "PNG":
            png.write_samples(samples, partial, like=photo.file)
        elif kind == "JPEG":
            new = _jpeg(_pillow_image(samples), source, quality)
            with_profile = photo.picture.profile is not None
            partial.write_bytes(jpeg.with_segments_of(photo.file.read_bytes(), new, with_profile=with_profile))
        elif kind == "WEBP":
            _pillow_image(samples).save(partial, "WEBP", **_webp_options(source, photo.file, quality))
        elif samples.shape[2] == 4:
            partial.write_bytes(bmp.encoded(samples, dpi=source.info.get("dpi", (0, 0))))
        else:
            _pillow_image(samples).save(partial, "BMP", dpi=source.info.get("dpi", (0, 0)))


def _samples(picture: Picture) -> Samples:
    """The samples to store, (H, W, 1 to 4): one channel for grey, and one more for transparency."""
    colour = picture.pixels
    if picture.grey:
        colour = colour.mean(axis=2, keepdims=True).round().astype(colour.dtype)
    return colour if picture.alpha is None else np.concatenate([colour, picture.alpha[..., None]], axis=2)


def _pillow_image(samples: Samples) -> Image.Image:
    return Image.fromarray(samples.squeeze(2) if samples.shape[2] == 1 else samples)


def _jpeg(picture: Image.Image, source: Image.Image, quality: int | None) -> bytes:
    """A JPEG file without metadata, with the subsampling of ``source``, and with ``quality`` or that of ``source``."""
    assert isinstance(source, JpegImagePlugin.JpegImageFile)
    # Pillow's get_sampling does not say that of CMYK, whose first ink has the resolution that brightness will have.
    kept: dict[str, Any] = {"subsampling": _SUBSAMPLINGS.get(source.layer[0][1:3], -1)}
    kept |= {"qtables": source.quantization} if quality is None else {"quality": quality}
    with io.BytesIO() as stream:
        picture.save(stream, "JPEG", progressive="progressive" in source.info, **kept)
        return stream.getvalue()


def _webp_options(source: Image.Image, file: Path, quality: int | None) -> dict[str, Any]:
    """Pillow's options for saving with the metadata and the quality of ``source``."""
    lossless = webp.is_lossless(file.read_bytes())
    return {name: source.info[name] for name in ("icc_profile", "xmp", "exif") if source.info.get(name)} | {
        "lossless": lossless,
        "exact": lossless,  # keep the colour of pixels that are fully transparent
        "quality": 100 if lossless else (quality or _WEBP_QUALITY),
    }
