"""The web page's server. It stores nothing: a picture comes with a request and leaves with the answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from deblurlab.restoring import Restorer
from deblurlab.serving.answer import BLURS, PictureRequest, RefusedRequestError, answer, png
from deblurlab.serving.turns import Turns

# Sharp photographs with fine detail, which a blur hides.
SAMPLES: Mapping[str, Callable[[], Any]] = {
    "astronaut": skimage.data.astronaut,
    "motorcycle": lambda: skimage.data.stereo_motorcycle()[0],
    "cat": skimage.data.chelsea,
    "coffee": skimage.data.coffee,
}
# The page loads nothing from elsewhere and cannot be shown inside another page.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a request.

    Attributes:
        bytes: The largest upload in bytes.
        pixels: The largest picture in pixels, height times width.
        waiting: The number of pictures that may wait while one is restored; further ones are refused.
        upload_seconds: The longest time that an upload may take.
    """

    bytes: int
    pixels: int
    waiting: int
    upload_seconds: float


def application(restorers: Mapping[str, Restorer], *, limits: Limits, hosts: tuple[str, ...] = ("*",)) -> Starlette:
    """Make the application that serves the page.

    It has the page itself, its sample photographs, ``POST /restore``, which restores the picture in its body, and
    ``/place``, which returns the number of pictures before it in the queue.

    Args:
        restorers: The networks to choose from, by name. The page suggests the first.
        limits: The limits of each request.
        hosts: The host names that the server accepts; "*" stands for any.
    """
    page = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    page = page.replace("<!--weights-->", "".join(f"<option>{escape(name)}</option>" for name in restorers))
    page = page.replace("<!--limit-->", f"{limits.pixels / 1e6:g} megapixels, {limits.bytes / 2**20:g} MB")
    samples = {name: png(np.asarray(load())) for name, load in SAMPLES.items()}
    turns = Turns(waiting=limits.waiting, upload_bytes=limits.bytes, upload_seconds=limits.upload_seconds)

    async def index(request: Request) -> Response:
        return HTMLResponse(page, headers=_HEADERS)

    async def sample(request: Request) -> Response:
        content = samples.get(request.path_params["name"])
        return Response(content, media_type="image/png") if content else Response(status_code=404)

    async def place(request: Request) -> Response:
        return JSONResponse({"before": turns.before(request.query_params.get("ticket", ""))})

    async def restore(request: Request) -> Response:
        try:
            wanted = _parsed(request, restorers)
            turns.refuse_when_full()  # before the upload, which would be useless
            upload = await turns.upload(request)
            found = await turns.take(
                request, lambda check: answer(wanted, upload, most_pixels=limits.pixels, on_tile=check)
            )
            return JSONResponse(found)
        except RefusedRequestError as error:
            return JSONResponse({"error": str(error)}, error.status)
        except ClientDisconnect:
            return Response(status_code=400)

    routes = [
        Route("/", index),
        Route("/samples/{name}", sample),
        Route("/place", place),
        Route("/restore", restore, methods=["POST"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))])


def _parsed(request: Request, restorers: Mapping[str, Restorer]) -> PictureRequest:
    """Parse the query of a request.

    Raises:
        RefusedRequestError: If there are no such weights or no such blur, or the blur is too strong.
    """
    query = request.query_params
    name, blur = query.get("weights", ""), query.get("blur", "")
    if name not in restorers or (blur and blur not in BLURS):
        raise RefusedRequestError(400, "There are no such weights or no such blur.")
    try:
        amount = float(query.get("amount", "0"))
    except ValueError:
        amount = float("nan")
    if blur and not 0 < amount <= BLURS[blur]:  # also refuses NaN
        raise RefusedRequestError(400, f"The blur must be between 0 and {BLURS[blur]:g} pixels.")
    return PictureRequest(restorer=restorers[name], blur=blur, amount=amount)
