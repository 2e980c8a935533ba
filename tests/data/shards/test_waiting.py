"""What a bucket that does not answer, or says no, comes to."""

import importlib.util
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deblurlab.data import CIFAR10
from deblurlab.data.shards import waiting
from deblurlab.data.shards.storage import Storage, _with_retry_limit
from deblurlab.data.shards.waiting import patiently
from tests.conftest import HANG_SECONDS


class Refusing(ThreadingHTTPServer):
    """A bucket that gives each request the same answer."""

    daemon_threads = True
    status, code, requests = 403, "AccessDenied", 0


class Handler(BaseHTTPRequestHandler):
    server: Refusing

    def answer(self) -> None:
        self.server.requests += 1
        body = f"<Error><Code>{self.server.code}</Code><Message>no</Message></Error>".encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/xml")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Refusing]:
    with Refusing(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "AccessDenied", "ACCESS_DENIED"),
        (403, "InvalidAccessKeyId", "ACCESS_DENIED"),
        (401, "Unauthorized", "ACCESS_DENIED"),
        (400, "ExpiredToken", "HTTP status 400"),
    ],
)
def test_a_final_answer_ends_at_once(status: int, code: str, words: str, server: Refusing) -> None:
    server.status, server.code = status, code
    address = f"region=us-east-1&scheme=http&endpoint_override=127.0.0.1:{server.server_port}"
    storage = Storage(f"s3://key:secret@bucket/reds?{address}")
    with pytest.raises(ValueError, match=rf"^Reading s3://bucket/reds/index\.json failed: .*{words}") as refused:
        storage.read("index.json")
    assert "trying again" not in str(refused.value)
    assert server.requests <= 2


@pytest.mark.parametrize(
    "words",
    [
        "google::cloud::Status(PERMISSION_DENIED: no",
        "UNAVAILABLE: Could not create a OAuth2 access token\nlong",
        "NO_SUCH_BUCKET",
    ],
)
def test_errors_of_google_and_of_uploads_are_final(words: str) -> None:
    tries = []

    def action() -> None:
        tries.append(1)
        raise OSError(words)

    with pytest.raises(ValueError, match=r"^Looking for gs://bucket failed: [^\n]*$"):
        patiently(action, "Looking for gs://bucket", seconds=60)
    assert len(tries) == 1


def test_tries_end_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that goes on while somebody sleeps, and by a second with each try."""
    now = 0.0
    tries = []

    def action() -> None:
        nonlocal now
        now += 1
        tries.append(now)
        raise OSError("NETWORK_CONNECTION")

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(waiting.time, "monotonic", lambda: now)
    monkeypatch.setattr(waiting.time, "sleep", sleep)
    with pytest.raises(
        ValueError, match=r"failed 5 times in 12 s: NETWORK_CONNECTION\. data\.wait_seconds=\.\.\. tries"
    ):
        patiently(action, "Looking for gs://bucket", seconds=20)
    assert tries == [1, 2.5, 4.5, 7.5, 12.5]  # eight seconds more would be too many


def test_a_wait_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    assert waiting.TELL_SECONDS < 10
    monkeypatch.setattr(waiting, "TELL_SECONDS", 0.05)
    caplog.set_level(logging.WARNING)

    def action() -> None:
        deadline = time.monotonic() + HANG_SECONDS
        while not caplog.messages and time.monotonic() < deadline:
            time.sleep(0.01)

    patiently(action, "Looking for gs://bucket", seconds=60)
    assert caplog.messages == ["Looking for gs://bucket: no answer yet, trying for 60 s (data.wait_seconds)."]


def test_after_the_answer_no_wait_is_told(caplog: pytest.LogCaptureFixture) -> None:
    patiently(lambda: None, "Looking for gs://bucket", seconds=60)
    for timer in [one for one in threading.enumerate() if isinstance(one, threading.Timer)]:
        timer.join(timeout=HANG_SECONDS)  # a cancelled one ends at once
    assert caplog.messages == []


def test_googles_own_tries_are_short() -> None:
    assert _with_retry_limit("gs://bucket/reds", 60) == "gs://bucket/reds?retry_limit_seconds=5"
    assert _with_retry_limit("gs://bucket/reds?a=b", 2.5) == "gs://bucket/reds?a=b&retry_limit_seconds=2.5"
    assert _with_retry_limit("gs://bucket?retry_limit_seconds=900", 60) == "gs://bucket?retry_limit_seconds=900"
    assert _with_retry_limit("s3://bucket", 60) == "s3://bucket"


def test_a_missing_package_is_one_line_with_what_to_install() -> None:
    gcsfs = importlib.util.find_spec("gcsfs")
    if gcsfs is not None:
        pytest.skip("gcsfs is installed")
    with pytest.raises(ValueError, match=r"data\.root=gs://bucket/cifar needs .*pip install 'deblurlab\[gcs\]'$"):
        CIFAR10(root="gs://bucket/cifar", batch_size=4, sigma_range=(0.0, 1.0)).load("test")
