"""The queue of the page. One picture is restored at a time, and slow uploads do not block the queue."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from deblurlab.serving.answer import RefusedRequestError

T = TypeVar("T")

# The most uploads at the same time, which bounds the memory. Further ones are refused.
_UPLOADS = 32


class Turns:
    """The turns of all requests.

    Args:
        waiting: The number of pictures that may wait while one is restored; further ones are refused.
        upload_bytes: The largest upload in bytes.
        upload_seconds: The longest time that an upload may take.
    """

    def __init__(self, *, waiting: int, upload_bytes: int, upload_seconds: float) -> None:
        self._waiting, self._bytes, self._seconds = waiting, upload_bytes, upload_seconds
        self._uploads = self._pictures = 0
        self._turn = asyncio.Lock()
        self._line: list[str] = []

    def before(self, ticket: str) -> int | None:
        """The number of pictures before that of the request with ``ticket=...`` in its query; None if there is none."""
        return self._line.index(ticket) if ticket in self._line else None

    async def upload(self, request: Request) -> bytes:
        """Read the body of a request, up to the limits of size and time.

        Raises:
            RefusedRequestError: If it is too large or too slow, or there are too many other uploads.
        """
        if self._uploads >= _UPLOADS:
            raise RefusedRequestError(503, "Too many pictures are being uploaded. Try again in a minute.")
        self._uploads += 1
        content = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in request.stream():
                    content += chunk
                    if len(content) > self._bytes:
                        raise RefusedRequestError(413, f"The file is larger than {self._bytes / 2**20:g} MB.")
        except TimeoutError as error:
            raise RefusedRequestError(408, f"The upload took longer than {self._seconds:g} seconds.") from error
        finally:
            self._uploads -= 1
        return bytes(content)

    def refuse_when_full(self) -> None:
        """Raise RefusedRequestError if no further picture may wait."""
        if self._pictures > self._waiting:
            raise RefusedRequestError(503, "Too many pictures are waiting. Try again in a minute.")

    async def take(self, request: Request, work: Callable[[Callable[[], None]], T]) -> T:
        """Run ``work`` in a thread when it is this request's turn.

        Args:
            request: A request whose body has been read.
            work: The function to run. Its argument is a function that it should call from time to time, and that raises
                ClientDisconnect if the client has left.

        Raises:
            RefusedRequestError: If too many others wait.
            ClientDisconnect: If the client leaves before the work is done.
        """
        self.refuse_when_full()
        left = threading.Event()

        def check() -> None:
            if left.is_set():
                raise ClientDisconnect

        running = False

        async def in_turn() -> T:
            nonlocal running
            async with self._turn:
                running = True
                return await run_in_threadpool(work, check)

        self._pictures += 1
        ticket = request.query_params.get("ticket", "")
        self._line.append(ticket)
        working, leaving = asyncio.ensure_future(in_turn()), asyncio.ensure_future(_left(request))
        try:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            left.set()
            if not running:
                working.cancel()  # else it ends at its next check, and keeps its turn until then
            with suppress(asyncio.CancelledError):
                await working
            raise ClientDisconnect
        finally:
            leaving.cancel()
            self._pictures -= 1
            self._line.remove(ticket)


async def _left(request: Request) -> None:
    """Return when the client has left. After the body of a request, a client sends nothing else."""
    message: Any = {}
    while message.get("type") != "http.disconnect":
        message = await request.receive()
