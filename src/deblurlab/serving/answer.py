"""What the page gets for an upload: the picture restored and, if it was sharp and blurred here, its scores."""

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from deblurlab.data.blur.kernels import Kernel, apply_kernel, gaussian_kernel, shake_kernel
from deblurlab.data.pixels import Pixels, decode, dimensions
from deblurlab.metrics.image import psnr, ssim
from deblurlab.restoring import Restorer, Tiling

# The blurs that the page can give a sharp picture, and the most of each: a Gaussian's sigma and the length of a
# camera's path, both in pixels.
BLURS = {"gaussian": 5.0, "motion": 25.0}
_SHOWN_BY_BROWSERS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
_SSIM_WINDOW = 11
_HIGHEST_PSNR = 99.0  # stands for the infinite PSNR of a picture without any error: JSON has no word for infinity


class RefusedRequestError(Exception):
    """A request that cannot be granted.

    Attributes:
        status: The HTTP status of the answer. The error's text is what the page shows.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a request asks for.

    Attributes:
        restorer: The network.
        blur: The blur that the picture is given first, a key of :data:`BLURS`; "" if it is blurred already.
        amount: How much of that blur, in pixels.
    """

    restorer: Restorer
    blur: str
    amount: float


def answer(wish: Wish, upload: bytes, *, most_pixels: int) -> dict[str, Any]:
    """Restore an uploaded picture.

    Args:
        wish: What is asked for.
        upload: The bytes of a picture's file.
        most_pixels: The most pixels that the picture may have.

    Returns:
        ``restored``, a picture as a data URL; ``blurred``, the same, unless the browser can show the upload itself;
        ``scores``, the SSIM and PSNR in dB of both, if the sharp picture is known and large enough for SSIM.

    Raises:
        RefusedRequestError: if the upload is no picture, or too large, or too small for the blur.
    """
    uploaded, shown = _decoded(upload, most_pixels)
    height, width, _ = uploaded.shape
    blurred = _blurred(uploaded, wish) if wish.blur else uploaded
    restored = wish.restorer.restore(blurred, tiling=Tiling())  # tiles of one shape: each network is compiled once
    found: dict[str, Any] = {"restored": _data_url(restored)}
    if wish.blur or not shown:
        found["blurred"] = _data_url(blurred)
    if wish.blur and min(height, width) >= _SSIM_WINDOW:
        found["scores"] = {"blurred": _scores(blurred, uploaded), "restored": _scores(restored, uploaded)}
    return found


def _decoded(upload: bytes, most_pixels: int) -> tuple[Pixels, bool]:
    """The picture of an upload, (H, W, 3) uint8, and whether browsers can show its file."""
    try:
        height, width = dimensions(io.BytesIO(upload))
        if height * width > most_pixels:
            raise RefusedRequestError(413, f"{width}x{height} pixels are more than {most_pixels / 1e6:g} megapixels.")
        pixels = np.array(decode(upload, "The file"))  # a copy: torch warns of arrays that cannot be written
        with Image.open(io.BytesIO(upload)) as picture:
            return pixels, picture.format in _SHOWN_BY_BROWSERS
    except ValueError as error:
        raise RefusedRequestError(400, _reason(error, upload)) from error


def _reason(error: ValueError, upload: bytes) -> str:
    """Why an upload cannot be read, for someone who has no file on the server to look at."""
    if isinstance(error.__cause__, Image.DecompressionBombError):
        return "The picture has far too many pixels."
    if "truncated" in str(error):
        return "The file ends early: the picture is truncated."
    if "identify" in str(error) or not upload:
        return "This is no picture. JPEG, PNG, WebP, TIFF and BMP are supported."
    return str(error)


def _blurred(sharp: Pixels, wish: Wish) -> Pixels:
    kernel = _kernel(wish.blur, wish.amount)
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


def png(pixels: Pixels) -> bytes:
    """(H, W, 3) uint8 as the bytes of a PNG file, packed quickly rather than small."""
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
        return stream.getvalue()


def _data_url(pixels: Pixels) -> str:
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode()
