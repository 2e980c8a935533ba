"""The web page's server. It keeps nothing: a picture comes with the request and leaves with the answer."""

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import skimage.data
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from deblurlab.data.blur.kernels import apply_kernel, gaussian_kernel, shake_kernel
from deblurlab.data.pixels import Pixels, decode, dimensions
from deblurlab.metrics.image import psnr, ssim
from deblurlab.restoring import tiles
from deblurlab.restoring.restorer import Restorer

# Photographs that no shipped network was trained on.
SAMPLES: Mapping[str, Callable[[], Any]] = {"cat": skimage.data.chelsea, "coffee": skimage.data.coffee}
# What blurs a sharp picture, and by how much at most, in pixels.
BLURS = {"gaussian": 5.0, "motion": 25.0}
_BROWSERS_SHOW = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a request may ask for.

    Attributes:
        bytes: of an upload.
        pixels: of a picture.
        waiting: requests that may wait for the one that runs.
    """

    bytes: int
    pixels: int
    waiting: int


class _RefusedError(Exception):
    """A request that gets an error for an answer: the HTTP status and what the page shows."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def application(
    restorers: Mapping[str, Restorer], *, device: torch.device, limits: Limits, hosts: tuple[str, ...] = ("*",)
) -> Starlette:
    """The page, its samples, and ``POST /restore``.

    Args:
        restorers: the networks to choose from, by name, on ``device``; the page suggests the first.
        device: where they run.
        limits: of each request.
        hosts: names by which the server may be called.
    """
    page = (Path(__file__).parent / "page.html").read_text()
    page = page.replace("<!--weights-->", "".join(f"<option>{_escaped(name)}</option>" for name in restorers))
    page = page.replace("<!--limit-->", f"{limits.pixels / 1e6:g} megapixels, {limits.bytes / 2**20:g} MB")
    samples = {name: _png(np.asarray(load())) for name, load in SAMPLES.items()}
    running, waiting = anyio.Lock(), [0]

    async def index(request: Request) -> Response:
        return HTMLResponse(page, headers=_HEADERS)

    async def sample(request: Request) -> Response:
        content = samples.get(request.path_params["name"])
        return Response(content, media_type="image/png") if content else Response(status_code=404)

    async def restore(request: Request) -> Response:
        try:
            restorer, kind, amount = _wishes(request, restorers)
            if waiting[0] > limits.waiting:
                raise _RefusedError(503, "Too many pictures are waiting. Try again in a minute.")
            waiting[0] += 1
            try:
                upload = await _body(request, limits.bytes)
                async with running:
                    answer = await run_in_threadpool(_restored, restorer, upload, kind, amount, device, limits)
            finally:
                waiting[0] -= 1
            return JSONResponse(answer)
        except _RefusedError as error:
            return JSONResponse({"error": str(error)}, error.status)
        except ClientDisconnect:
            return Response(status_code=400)

    routes = [Route("/", index), Route("/samples/{name}", sample), Route("/restore", restore, methods=["POST"])]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))])


def _wishes(request: Request, restorers: Mapping[str, Restorer]) -> tuple[Restorer, str, float]:
    """The network, the kind of blur to add, "" for none, and how much."""
    query = request.query_params
    name, kind = query.get("weights", ""), query.get("blur", "")
    if name not in restorers or (kind and kind not in BLURS):
        raise _RefusedError(400, "There are no such weights or no such blur.")
    try:
        amount = float(query.get("amount", "0"))
    except ValueError:
        amount = float("nan")
    if kind and not 0 < amount <= BLURS[kind]:
        raise _RefusedError(400, f"The blur must be between 0 and {BLURS[kind]:g} pixels.")
    return restorers[name], kind, amount


async def _body(request: Request, most: int) -> bytes:
    """The upload, read no further than it may be long."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            raise _RefusedError(413, f"The file is larger than {most / 2**20:g} MB.")
    return bytes(content)


def _restored(
    restorer: Restorer, upload: bytes, kind: str, amount: float, device: torch.device, limits: Limits
) -> dict[str, Any]:
    """The answer: the restored picture; also the blurred one, unless the browser has it; their scores if known."""
    try:
        height, width = dimensions(io.BytesIO(upload))
        if height * width > limits.pixels:
            raise _RefusedError(413, f"{width}x{height} pixels are more than {limits.pixels / 1e6:g} megapixels.")
        sharp = np.array(decode(upload, "The file"))  # writable, as torch wants it
        with Image.open(io.BytesIO(upload)) as picture:
            shown = picture.format in _BROWSERS_SHOW
    except ValueError as error:
        raise _RefusedError(400, _reason(error, upload)) from error
    answer: dict[str, Any] = {}
    blurred = sharp
    if kind:
        kernel = (
            gaussian_kernel(amount)
            if kind == "gaussian"
            else shake_kernel(max(1.0, amount), np.random.default_rng(int(10 * amount)))
        )
        if min(height, width) <= len(kernel):
            raise _RefusedError(400, f"{width}x{height} pixels are too few for so much blur.")
        blurred = apply_kernel(sharp, kernel)
    if kind or not shown:
        answer["blurred"] = _encoded(blurred)
    restored = tiles.restore(restorer, blurred, tiling=tiles.Tiling(), device=device)
    if kind and min(height, width) >= 11:  # SSIM's window
        answer["scores"] = {"blurred": _scores(blurred, sharp), "restored": _scores(restored, sharp)}
    return answer | {"restored": _encoded(restored)}


def _reason(error: ValueError, upload: bytes) -> str:
    if isinstance(error.__cause__, Image.DecompressionBombError):
        return "The picture has far too many pixels."
    if "truncated" in str(error):
        return "The file ends early: the picture is truncated."
    if "identify" in str(error) or not upload:
        return "This is no picture. JPEG, PNG, WebP, TIFF and BMP are supported."
    return str(error)


def _scores(image: Pixels, sharp: Pixels) -> dict[str, float]:
    one, other = (torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255 for pixels in (image, sharp))
    # a picture without any error has infinite PSNR, for which JSON has no word
    return {"ssim": float(ssim(one, other)), "psnr": min(99.0, float(psnr(one, other)))}


def _png(pixels: Pixels) -> bytes:
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
        return stream.getvalue()


def _encoded(pixels: Pixels) -> str:
    return "data:image/png;base64," + base64.b64encode(_png(pixels)).decode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
