"""Mutated pictures: read as what they are, or refused by name."""

import io
import random
import warnings
from collections.abc import Callable

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from deblurlab import pictures
from tests.faults.counting import Campaign
from tests.faults.mutations import mutated
from tests.pictures import picture

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


def _encoded(pixels: npt.NDArray[np.uint8], suffix: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, suffix, **options)
    return stream.getvalue()


def _tiff(pixels: npt.NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, photometric="rgb", compression="zlib")
    return stream.getvalue()


def _with_exif(pixels: npt.NDArray[np.uint8]) -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "Maker", 72.0
    return _encoded(pixels, "JPEG", exif=exif.tobytes(), quality=90)


# Only PNG has checksums that tell every damage of its pixels.
_KINDS: dict[str, tuple[Callable[[npt.NDArray[np.uint8]], bytes], bool]] = {
    "png": (lambda pixels: _encoded(pixels, "PNG"), True),
    "grey.png": (lambda pixels: _encoded(pixels[..., 0], "PNG"), True),
    "16.png": (lambda pixels: bytes(imagecodecs.png_encode(pixels.astype(np.uint16) * 257)), True),
    "jpg": (_with_exif, False),
    "webp": (lambda pixels: _encoded(pixels, "WEBP", lossless=True), False),
    "lossy.webp": (lambda pixels: _encoded(pixels, "WEBP", quality=80), False),
    "bmp": (lambda pixels: _encoded(pixels, "BMP"), False),
    "tif": (_tiff, False),
}


def run(seed: int, cases: int) -> Campaign:
    """Mutate pictures of every format and read them."""
    campaign, draw = Campaign("mutated pictures", seed), random.Random(seed)
    for number in range(cases):
        kind = draw.choice(list(_KINDS))
        encode, has_checksums = _KINDS[kind]
        data = encode(picture(number % 10))
        whole = pictures.read(data, kind).pixels
        damaged = mutated(data, draw)

        def case(damaged: bytes = damaged, whole: Pixels = whole, has_checksums: bool = has_checksums) -> bool:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read = pictures.read(damaged, "damaged file").pixels
            return np.array_equal(read, whole) if has_checksums else read.ndim == 3 and read.size > 0

        campaign.judge(case, f"case {number}, {kind}", names="damaged file")
    return campaign
