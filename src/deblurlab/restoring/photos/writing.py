"""Writes photographs in the format of their source, with its metadata."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, JpegImagePlugin

from deblurlab.files.whole_file import whole_file
from deblurlab.restoring.photos import png, tiff, webp
from deblurlab.restoring.photos.photo import Photo, Samples, photo_format

_WEBP_QUALITY = 90


def write(photo: Photo, file: Path, *, quality: int | None = None) -> None:
    """Write a photograph in its source's format, whole or not at all.

    EXIF, ICC profile and transparency are kept, and the quantisation tables and subsampling of a JPEG. A TIFF keeps
    what ``tiff.write_samples`` says.

    Args:
        photo: The photograph.
        file: A new file, with a suffix of the source's format.
        quality: Quality of a JPEG or a lossy WebP, 1 to 100. None keeps the quality of a JPEG, and takes 90 for a
            lossy WebP, whose own quality its file does not tell.

    Raises:
        OSError: if the file cannot be written, or the photograph's source cannot be read any more.
    """
    samples = _samples(photo)
    with whole_file(file) as partial, Image.open(photo.file) as source:
        if source.format == "TIFF":
            tiff.write_samples(samples, partial, like=photo.file)
        elif source.format == "PNG":
            png.write_samples(samples, partial, like=photo.file)
        else:
            picture = Image.fromarray(samples.squeeze(2) if samples.shape[2] == 1 else samples)
            picture.save(partial, photo_format(source), **_options(source, photo.file, quality))


def _samples(photo: Photo) -> Samples:
    """The samples to store, (H, W, 1 to 4): one channel for grey, and one more for transparency."""
    colour = photo.pixels
    if photo.grey:
        colour = colour.mean(axis=2, keepdims=True).round().astype(colour.dtype)
    return colour if photo.alpha is None else np.concatenate([colour, photo.alpha[..., None]], axis=2)


def _options(source: Image.Image, file: Path, quality: int | None) -> dict[str, Any]:
    """What Pillow must be told when it saves, so that the metadata and the quality of ``source`` are kept."""
    kept = {name: source.info[name] for name in ("icc_profile", "dpi", "comment", "xmp") if source.info.get(name)}
    options: dict[str, Any] = kept
    if source.format != "BMP" and (exif := source.getexif()):
        # The bytes of the file, if it has them. Pillow also finds an orientation that only the XMP tells.
        options["exif"] = source.info.get("exif") or exif.tobytes()
    if isinstance(source, JpegImagePlugin.JpegImageFile):
        options["progressive"] = "progressive" in source.info
        if quality is not None:
            return options | {"quality": quality}
        return options | {"qtables": source.quantization, "subsampling": JpegImagePlugin.get_sampling(source)}
    if source.format == "WEBP":
        lossless = webp.is_lossless(file.read_bytes())
        return options | {
            "lossless": lossless,
            "exact": lossless,  # keep the colour of pixels that are fully transparent
            "quality": 100 if lossless else (quality or _WEBP_QUALITY),
        }
    return options
