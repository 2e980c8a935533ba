"""Waits for a network: logs what it waits for, tries again while that may help, and gives up in time."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

# Seconds before each new try; the last pause is repeated.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
# After so many seconds without an answer, a log line says what is being waited for.
TELL_SECONDS = 8.0
# Errors of a bucket that no further try changes. tests/data/shards/test_waiting.py provokes most of them in pyarrow.
_FINAL = re.compile(
    r"ACCESS_DENIED|NO_SUCH_BUCKET|INVALID_ACCESS_KEY|SIGNATURE_DOES_NOT_MATCH|HTTP status 4(?!08|29)\d\d"
    r"|PERMISSION_DENIED|UNAUTHENTICATED|NOT_FOUND|OAuth2 access token"
)


def patiently(action: Callable[[], T], what: str, *, seconds: float) -> T:
    """Call ``action``, and call it again after a pause when the network fails.

    Args:
        action: The function to call.
        what: The name of the action in messages.
        seconds: The time after which no new try starts.

    Raises:
        FileNotFoundError: If a file is missing, without another try.
        ValueError: If the last try failed, or at once for errors that are not the network's, such as denied access.
    """
    start = time.monotonic()
    for tries, pause in enumerate(chain(PAUSES, repeat(PAUSES[-1])), start=1):
        try:
            with telling(what, f"trying for {seconds:g} s (data.wait_seconds)"):
                return action()
        except FileNotFoundError:
            raise
        except (NotADirectoryError, IsADirectoryError, PermissionError) as error:
            raise ValueError(f"{what} failed: {error}") from error
        except OSError as error:
            if _FINAL.search(str(error)):
                raise ValueError(f"{what} failed: {_first_sentence(error)}{_advice(error)}") from error
            if time.monotonic() - start + pause > seconds:
                raise ValueError(
                    f"{what} failed {tries} times in {time.monotonic() - start:.0f} s: {_first_sentence(error)} "
                    "data.wait_seconds=... tries for longer."
                ) from error
            log.warning(f"{what} failed ({_first_sentence(error)}), trying again in {pause:g} s.")
            time.sleep(pause)
    raise AssertionError


@contextmanager
def telling(what: str, how_long: str) -> Iterator[None]:
    """Log what is being waited for if the block has not ended after :data:`TELL_SECONDS`."""
    timer = threading.Timer(TELL_SECONDS, lambda: log.warning(f"{what}: no answer yet, {how_long}."))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _first_sentence(error: OSError) -> str:
    """The beginning of an error; those of Google's library are longer than a page."""
    return str(error).splitlines()[0][:300].removesuffix(".") + "."


def _advice(error: OSError) -> str:
    """Advice for errors about missing credentials; "" for others."""
    return " Log in with: gcloud auth application-default login." if "OAuth2" in str(error) else ""
