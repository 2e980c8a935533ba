"""Answers an upload of the page: restores the picture and, if it was sharp and blurred here, scores the result."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from deblurlab import pictures
from deblurlab.checks import require
from deblurlab.data.blur.kernels import Kernel, apply_kernel, gaussian_kernel, shake_kernel
from deblurlab.data.pixels import Pixels
from deblurlab.metrics.image import psnr, ssim
from deblurlab.pictures import Picture
from deblurlab.pictures.png_chunks import COLOUR_CHUNKS, with_chunks_of
from deblurlab.restoring import Restorer, Tiling
from deblurlab.restoring.tiling import Cut

# The blurs that the page can apply to a sharp picture, with their maxima: a Gaussian's sigma and the length of a
# camera's path, both in pixels.
BLURS = {"gaussian": 5.0, "motion": 25.0}
_SHOWN_BY_BROWSERS = ("JPEG", "MPO", "PNG", "WEBP", "BMP")
_PNG = b"\x89PNG\r\n\x1a\n"
_HIGHEST_PSNR = 99.0  # instead of the infinite PSNR of a picture without any error: JSON has no infinity


class RefusedRequestError(Exception):
    """A request that is refused. The page shows the error's text.

    Attributes:
        status: The HTTP status of the answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class PictureRequest:
    """The parameters of a request.

    Attributes:
        restorer: The network.
        blur: The blur to apply to the picture first, a key of :data:`BLURS`; "" if it is already blurred.
        amount: The amount of that blur, in pixels.
    """

    restorer: Restorer
    blur: str
    amount: float


def answer(wanted: PictureRequest, upload: bytes, *, most_pixels: int, on_tile: Callable[[], None]) -> dict[str, Any]:
    """Restore an uploaded picture.

    Args:
        wanted: The parameters of the request.
        upload: The bytes of a picture's file.
        most_pixels: The most pixels that the picture may have.
        on_tile: Called before the work starts and after each tile; an error that it raises ends the work.

    Returns:
        ``restored``, a picture as a data URL; ``blurred``, the same, unless the browser can show the upload itself;
        ``scores``, the SSIM and PSNR in dB of both, if the sharp picture is known and large enough for SSIM.

    Raises:
        RefusedRequestError: If the upload is not a picture, is too large, or too small for the blur.
    """
    on_tile()
    picture = _decoded(upload, wanted.restorer.size_multiple, most_pixels)
    uploaded = np.array(picture.upright())  # a copy, because torch warns of read-only arrays
    height, width, _ = uploaded.shape
    blurred = _blurred(uploaded, wanted) if wanted.blur else uploaded
    # tiles of one shape, so that each network is compiled once
    restored = wanted.restorer.restore(blurred, tiling=Tiling(), on_tile=on_tile)
    found: dict[str, Any] = {"restored": _data_url(restored, picture, upload)}
    if wanted.blur or not _browsers_show(upload):
        found["blurred"] = _data_url(blurred, picture, upload)
    if wanted.blur and min(height, width) >= require.SSIM_WINDOW:
        found["scores"] = {"blurred": _scores(blurred, uploaded), "restored": _scores(restored, uploaded)}
    return found


def _decoded(upload: bytes, multiple: int, most_pixels: int) -> Picture:
    """Decode an upload, unless it has too many pixels or, because of its shape, needs too many tiles."""
    try:
        height, width = pictures.size(io.BytesIO(upload), "The file")
        if height * width > most_pixels:
            raise RefusedRequestError(413, f"{width}x{height} pixels are more than {most_pixels / 1e6:g} megapixels.")
        side = isqrt(most_pixels)
        square, needed = (Cut.of(*size, Tiling(), multiple).count for size in ((side, side), (height, width)))
        if needed > 2 * square:  # a strip of one row takes as long as a picture of whole tiles
            raise RefusedRequestError(413, f"{width}x{height} pixels are too long a strip. Cut the picture in parts.")
        return pictures.read(upload, "The file")
    except ValueError as error:
        raise RefusedRequestError(400, _reason(error, upload)) from error


def _browsers_show(upload: bytes) -> bool:
    with Image.open(io.BytesIO(upload)) as image:
        return image.format in _SHOWN_BY_BROWSERS


def _reason(error: ValueError, upload: bytes) -> str:
    """Why an upload cannot be read, in words for a visitor of the page."""
    if isinstance(error.__cause__, Image.DecompressionBombError):
        return "The picture has far too many pixels."
    if "truncated" in str(error):
        return "The file ends early: the picture is truncated."
    if (isinstance(error.__cause__, UnidentifiedImageError) and "not read" not in str(error)) or not upload:
        return "This is not a picture. JPEG, PNG, WebP, TIFF and BMP are supported."
    return str(error)


def _blurred(sharp: Pixels, wanted: PictureRequest) -> Pixels:
    kernel = _kernel(wanted.blur, wanted.amount)
    height, width, _ = sharp.shape
    if min(height, width) <= len(kernel):
        raise RefusedRequestError(400, f"{width}x{height} pixels are too few for so much blur.")
    return apply_kernel(sharp, kernel)


def _kernel(blur: str, amount: float) -> Kernel:
    if blur == "gaussian":
        return gaussian_kernel(amount)
    return shake_kernel(max(1.0, amount), np.random.default_rng(int(10 * amount)))  # the same path for the same amount


def _scores(image: Pixels, sharp: Pixels) -> dict[str, float]:
    one, other = (torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255 for pixels in (image, sharp))
    return {"ssim": float(ssim(one, other)), "psnr": min(_HIGHEST_PSNR, float(psnr(one, other)))}


def png(pixels: Pixels, *, profile: bytes | None = None) -> bytes:
    """(H, W, 1 to 4) or (H, W) uint8 as the bytes of a PNG with an ICC profile, compressed quickly rather than well."""
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=1, icc_profile=profile)
        return stream.getvalue()


def _data_url(pixels: Pixels, picture: Picture, upload: bytes) -> str:
    """(H, W, 3) uint8 as a PNG that browsers show like the upload: with its transparency and its colour information."""
    if (alpha := picture.upright_alpha()) is not None:
        pixels = np.dstack([pixels, alpha])
    if picture.profile is not None and picture.rgb_profile is None:  # a profile for grey fits one channel only
        grey = pixels[..., :3].mean(axis=2).round().astype(np.uint8)
        encoded = png(grey if alpha is None else np.dstack([grey, alpha]), profile=picture.profile)
    elif upload.startswith(_PNG):
        encoded = with_chunks_of(upload, png(pixels), kept=COLOUR_CHUNKS)
    else:
        encoded = png(pixels, profile=picture.profile)
    return "data:image/png;base64," + base64.b64encode(encoded).decode()
