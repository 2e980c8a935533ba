"""``weights=hf://...`` against a server of our own that answers as the Hub does."""

import hashlib
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from deblurlab.nets import UNet16
from deblurlab.run import weights
from deblurlab.run.run_folder import weights_name

NAME = "hf://someone/some-net/nets/mine.safetensors"


class Hub:
    """One file of one repository, and the requests for it."""

    def __init__(self, content: bytes) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.answer(with_content=False)

            def do_GET(self) -> None:
                self.answer(with_content=True)

            def answer(self, *, with_content: bool) -> None:
                outer.asked.append(f"{self.command} {self.path}")
                found = (
                    self.path == "/someone/some-net/resolve/main/nets/mine.safetensors"
                    or "/resolve/" + "0" * 40 in self.path
                )
                self.send_response(200 if found else 404)
                if found:
                    self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
                    self.send_header("X-Repo-Commit", "0" * 40)
                else:
                    self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", str(len(content) if found else 0))
                self.end_headers()
                if found and with_content:
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    file = tmp_path / "mine.safetensors"
    weights.save(UNet16(widths=[4, 8]), {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}, file)
    return file.read_bytes()


@pytest.fixture
def server(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub, the extra `hub`, is not installed")
    made = Hub(content)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", made.address)
    template = made.address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    yield made
    made.close()


def downloads(server: Hub) -> int:
    return sum(asked.startswith("GET /someone") for asked in server.asked)


@pytest.mark.filterwarnings("ignore")  # the library warns as it likes
def test_a_file_is_downloaded_once_and_found_offline(
    server: Hub, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    checksum = hashlib.sha256(content).hexdigest()
    loaded = weights.load(NAME)
    assert (loaded.title, loaded.network["widths"]) == ("mine", [4, 8])
    assert all(isinstance(value, torch.Tensor) for value in loaded.state.values())
    assert weights.load(f"{NAME}@sha256={checksum.upper()}").title == "mine"
    assert downloads(server) == 1
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert weights.load(NAME).network["widths"] == [4, 8]


@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_had_is_told_in_one_line(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"the file has another checksum, sha256=[0-9a-f]{64}\. It is not loaded"):
        weights.load(f"{NAME}@sha256={'0' * 64}")
    with pytest.raises(ValueError, match="there is no such file on the Hub"):
        weights.load("hf://someone/some-net/other.safetensors")
    monkeypatch.setattr(
        "huggingface_hub.constants.HF_HUB_OFFLINE", True
    )  # a closed server is asked again for 24 seconds
    with pytest.raises(ValueError, match="the Hub cannot be reached, and the file is not in the cache"):
        weights.load("hf://someone/another/mine.safetensors")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf://someone/mine.safetensors", "write hf://OWNER/REPO/FILE"),
        (NAME + "@sha256=abc", "write hf://OWNER/REPO/FILE"),
        ("hf://someone/some-net/last.ckpt", r"only \.safetensors, \.pth, \.pt files are taken"),
    ],
)
def test_other_names_are_refused_before_anything_is_asked(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        weights.load(name)


def test_without_the_library_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ValueError, match=r"needs the Hub's library: pip install 'deblurlab\[hub\]'"):
        weights.load(NAME)


def test_titles_leave_the_checksum_out() -> None:
    assert weights_name(f"{NAME}@sha256={'0' * 64}") == "mine"
    assert weights_name("hf://someone/some-net/weights.safetensors") == "some-net"
