"""Photographs as files: read, and written again as they were, with new pixels."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image, ImageOps, JpegImagePlugin

from deblurlab.files.whole_file import whole_file

Samples = npt.NDArray[Any]

# What Pillow calls a file: the suffixes of output files that stay of its format.
FORMATS = {
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
}
SUFFIXES = {suffix for suffixes in FORMATS.values() for suffix in suffixes}
_ORIENTATION, _ICC = 274, 34675
# Orientation, XMP, IPTC; description, maker, model, software, date, artist, copyright.
_KEPT_TIFF_TAGS = (_ORIENTATION, 700, 33723, 270, 271, 272, 305, 306, 315, 33432)
_KEPT_PNG_CHUNKS = {b"cHRM", b"cICP", b"gAMA", b"iCCP", b"sRGB", b"eXIf", b"pHYs", b"tEXt", b"zTXt", b"iTXt", b"tIME"}


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photograph's pixels as they are stored, turned or not, and the file they are from.

    Attributes:
        file: where it was read from.
        pixels: (H, W, 3) uint8 or uint16.
        alpha: (H, W) of the same type, if it has any.
        grey: whether the file has one channel of brightness.
    """

    file: Path
    pixels: Samples
    alpha: Samples | None
    grey: bool

    def upright(self) -> npt.NDArray[np.uint8]:
        """The pixels for the screen, (H, W, 3): turned as EXIF says, 8 bits deep."""
        eight = self.pixels if self.pixels.dtype == np.uint8 else (self.pixels >> 8).astype(np.uint8)
        with Image.open(self.file) as source:
            picture = Image.fromarray(eight)
            picture.getexif()[_ORIENTATION] = source.getexif().get(_ORIENTATION, 1)
            return np.asarray(ImageOps.exif_transpose(picture))

    def with_pixels(self, pixels: Samples) -> "Photo":
        """The same file's photograph with other pixels of the same shape and type."""
        assert (pixels.shape, pixels.dtype) == (self.pixels.shape, self.pixels.dtype)
        return replace(self, pixels=pixels)


def read(file: Path) -> Photo:
    """Read a photograph.

    Raises:
        ValueError: naming the file, if it is no picture, damaged, animated, or of a kind that would not come back as
            it was: CMYK, 32 bits deep, one bit deep.
    """
    try:
        with Image.open(file) as image:
            if _format(image) not in FORMATS:
                raise _RefusedError(f"is a {image.format} file; JPEG, PNG, TIFF, WebP and BMP are supported")
            if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
                raise _RefusedError(f"holds {getattr(image, 'n_frames', 1)} pictures. Save them one by one")
            if image.format == "TIFF":
                samples = _tiff_samples(file)
            elif image.format == "PNG" and _bit_depth(file) == 16:
                samples = _png16_samples(image, file)
            else:
                samples = _samples(image)
    except _RefusedError as error:
        raise ValueError(f"{file} {error}.") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{file} is too large: {error}.") from error
    except Exception as error:  # what decoders raise on damaged files has no end
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


def _format(image: Image.Image) -> str | None:
    """The file's format. Phones append a second picture, for depth or brightness, to a JPEG: that one is left out."""
    return "JPEG" if image.format == "MPO" else image.format


class _RefusedError(Exception):
    pass


def _samples(image: Image.Image) -> Samples:
    """8-bit samples, (H, W, 1 to 4): grey or colour, and alpha where there is any."""
    if image.mode not in ("L", "LA", "P", "PA", "RGB", "RGBA"):
        raise _RefusedError(f"has pixels of kind {image.mode}. Save it as RGB or grey of 8 or 16 bits")
    image.load()
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    samples = np.asarray(image)
    return samples[..., None] if samples.ndim == 2 else samples


def _bit_depth(png: Path) -> int:
    with png.open("rb") as stream:
        return stream.read(25)[24]


def _png16_samples(image: Image.Image, file: Path) -> Samples:
    """16-bit samples, (H, W, 1 to 4), which Pillow would cut to 8 bits."""
    _require_sane_size(image.height, image.width)
    samples = imagecodecs.png_decode(file.read_bytes())
    return np.atleast_3d(samples)


def _tiff_samples(file: Path) -> Samples:
    """8- or 16-bit samples as they lie in the file, (H, W, 1 to 4); Pillow would turn them and cut them to 8 bits."""
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        _require_sane_size(page.imagelength, page.imagewidth)
        if page.photometric not in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.MINISBLACK):
            raise _RefusedError(f"has pixels of kind {page.photometric!r}. Save it as RGB or grey")
        if page.bitspersample not in (8, 16):
            raise _RefusedError(f"has {page.bitspersample} bits a sample. Save it with 8 or 16")
        samples = page.asarray()
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and samples.ndim == 3:
            samples = np.moveaxis(samples, 0, -1)
    samples = np.atleast_3d(samples)
    if samples.dtype not in (np.uint8, np.uint16) or samples.shape[2] > 4:
        raise _RefusedError(f"has {samples.shape[2]} channels of {samples.dtype}. Save it as RGB or grey")
    return np.ascontiguousarray(samples)


def _require_sane_size(height: int, width: int) -> None:
    """Pillow's limit, for what Pillow does not decode."""
    if height * width > 2 * (Image.MAX_IMAGE_PIXELS or 0):
        raise _RefusedError(f"is too large: {width}x{height} pixels")


def write(photo: Photo, file: Path, *, quality: int | None = None) -> None:
    """Write a photograph in its source's format, whole or not at all.

    EXIF, ICC profile and alpha are kept, and a JPEG's quantisation tables and subsampling. A TIFF keeps orientation,
    ICC profile, XMP, IPTC, resolution and its texts, but not the camera's other EXIF; where it was compressed, it
    is so by Deflate.

    Args:
        photo: what to write.
        file: a new file, of a suffix of the same format.
        quality: of JPEG and WebP, 1 to 100; None keeps a JPEG's own and takes 90 for a WebP that is not lossless.
    """
    colour = photo.pixels
    if photo.grey:
        colour = colour.mean(axis=2, keepdims=True).round().astype(colour.dtype)
    samples = colour if photo.alpha is None else np.concatenate([colour, photo.alpha[..., None]], axis=2)
    with whole_file(file) as partial, Image.open(photo.file) as source:
        if source.format == "TIFF":
            _write_tiff(partial, samples, photo.file)
        elif source.format == "PNG":
            partial.write_bytes(_png_like(photo.file.read_bytes(), bytes(imagecodecs.png_encode(samples))))
        else:
            options = _options(source, photo.file, quality)
            Image.fromarray(samples.squeeze(2) if samples.shape[2] == 1 else samples).save(
                partial, _format(source), **options
            )


def _options(source: Image.Image, file: Path, quality: int | None) -> dict[str, Any]:
    """What Pillow has to be told so that the file stays as it is."""
    kept = {name: source.info[name] for name in ("icc_profile", "dpi", "comment", "xmp") if source.info.get(name)}
    exif = source.info.get("exif") or source.getexif().tobytes()
    options: dict[str, Any] = kept | ({"exif": exif} if source.format != "BMP" and len(exif) > 14 else {})
    if _format(source) == "JPEG":
        assert isinstance(source, JpegImagePlugin.JpegImageFile)
        options["progressive"] = "progressive" in source.info
        if quality is not None:
            return options | {"quality": quality}
        return options | {"qtables": source.quantization, "subsampling": JpegImagePlugin.get_sampling(source)}
    if source.format == "WEBP":
        lossless = b"VP8L" in _webp_chunks(file.read_bytes())
        return options | {"lossless": lossless, "exact": lossless, "quality": 100 if lossless else (quality or 90)}
    return options


def _webp_chunks(webp: bytes) -> list[bytes]:
    """Name of each chunk."""
    found, start = [], 12
    while start + 8 <= len(webp):
        found.append(webp[start : start + 4])
        size = int.from_bytes(webp[start + 4 : start + 8], "little")
        start += 8 + size + size % 2
    return found


def _png_like(source: bytes, new: bytes) -> bytes:
    """``new`` with the metadata of ``source``: its colour, EXIF, resolution and text chunks."""
    header = 8 + 25  # the signature and the header chunk
    return new[:header] + b"".join(chunk for name, chunk in _chunks(source) if name in _KEPT_PNG_CHUNKS) + new[header:]


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Name and bytes of each chunk, length and checksum included."""
    found, start = [], 8
    while start < len(png):
        end = start + 12 + int.from_bytes(png[start : start + 4], "big")
        found.append((png[start + 4 : start + 8], png[start:end]))
        start = end
    return found


def _write_tiff(file: Path, samples: Samples, source: Path) -> None:
    with tifffile.TiffFile(source) as tiff:
        tags = tiff.pages.first.tags
        compression = tiff.pages.first.compression
        extra = tiff.pages.first.extrasamples or (tifffile.EXTRASAMPLE.UNASSALPHA,)
        kept = [
            (tag.code, tag.dtype, tag.count, tag.value.encode() if isinstance(tag.value, str) else tag.value, True)
            for tag in map(tags.get, _KEPT_TIFF_TAGS)
            if tag is not None
        ]
        profile = tags[_ICC].value if _ICC in tags else None
        resolution, unit = tiff.pages.first.resolution, tiff.pages.first.resolutionunit
    tifffile.imwrite(
        file,
        samples.squeeze(2) if samples.shape[2] == 1 else samples,
        photometric="rgb" if samples.shape[2] > 2 else "minisblack",
        extrasamples=extra[-1:] if samples.shape[2] in (2, 4) else None,
        compression=None if compression == tifffile.COMPRESSION.NONE else "zlib",
        predictor=compression != tifffile.COMPRESSION.NONE,
        iccprofile=profile,
        resolution=resolution,
        resolutionunit=unit,
        extratags=kept,
        metadata=None,
        software=False,
    )
