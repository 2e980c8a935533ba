"""The page: its server by requests, and all of it in a real browser."""

import asyncio
import base64
import io
import re
import shutil
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import EpsImagePlugin, Image
from PIL.PngImagePlugin import PngInfo

from deblurlab.nets import UNet16
from deblurlab.restoring import Restorer, load_restorer
from deblurlab.run import weights
from tests.conftest import HANG_SECONDS, encode
from tests.pictures import picture

pytest.importorskip("starlette", reason="Starlette, of the extra `demo`, is not installed")

from deblurlab.serving import server
from deblurlab.serving.answer import BLURS, PictureRequest, answer

PIXELS = picture(0, 60, 90)


def huge_png() -> bytes:
    """A PNG of which only the header, 20,000x20,000, and a little more is there."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))


def truncated_jpeg() -> bytes:
    content = encode(picture(1, 200, 300), "JPEG")
    return content[: len(content) // 2]


BAD = [
    ("notes.txt", b"no picture at all", "This is not a picture"),
    ("huge.png", huge_png(), "far too many pixels"),
    ("half.jpg", truncated_jpeg(), "truncated"),
]


def identity() -> Restorer:
    return Restorer(UNet16(widths=[4, 8], residual=True)).eval()


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    from starlette.testclient import TestClient

    limits = server.Limits(bytes=2**20, pixels=100_000, waiting=1, upload_seconds=60)
    page = server.application({"mine": identity()}, limits=limits, hosts=("testserver", "localhost"))
    with TestClient(page) as opened:
        yield opened


def received(encoded: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded.removeprefix("data:image/png;base64,")))))


def test_a_blurred_picture_comes_back_restored(client: Any) -> None:
    answer = client.post("/restore?weights=mine", content=encode(PIXELS))
    assert answer.json().keys() == {"restored"}
    np.testing.assert_array_equal(received(answer.json()["restored"]), PIXELS)


def test_what_a_browser_does_not_show_comes_back_to_be_shown(client: Any) -> None:
    answer = client.post("/restore?weights=mine", content=encode(PIXELS, "TIFF")).json()
    np.testing.assert_array_equal(received(answer["blurred"]), PIXELS)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("space", ["RGB", "GRAY"])
def test_before_and_after_have_the_same_profile(client: Any, space: str, form: str) -> None:
    profile = bytes(16) + space.ljust(4).encode() + bytes(120)
    image = Image.fromarray(PIXELS).convert("RGB" if space == "RGB" else "L")
    with io.BytesIO() as upload:
        image.save(upload, form, icc_profile=profile)
        answer = client.post("/restore?weights=mine&blur=gaussian&amount=1", content=upload.getvalue()).json()
    for side in ("blurred", "restored"):
        with Image.open(io.BytesIO(base64.b64decode(answer[side].partition(",")[2]))) as shown:
            assert (shown.mode, shown.info["icc_profile"]) == (image.mode, profile)


def test_before_and_after_have_the_same_gamma(client: Any) -> None:
    texts = PngInfo()
    texts.add(b"gAMA", (100000).to_bytes(4, "big"))
    texts.add_text("Author", "not for others")
    with io.BytesIO() as upload:
        Image.fromarray(PIXELS).save(upload, "PNG", pnginfo=texts)
        answer = client.post("/restore?weights=mine", content=upload.getvalue()).json()
    with Image.open(io.BytesIO(base64.b64decode(answer["restored"].partition(",")[2]))) as shown:
        assert shown.info == {"gamma": 1.0}


@pytest.mark.parametrize(("kind", "amount"), [("gaussian", 2.0), ("motion", 12.0)])
def test_a_sharp_picture_is_blurred_and_scored(client: Any, kind: str, amount: float) -> None:
    from skimage.metrics import peak_signal_noise_ratio

    answer = client.post(f"/restore?weights=mine&blur={kind}&amount={amount}", content=encode(PIXELS)).json()
    blurred = received(answer["blurred"])
    np.testing.assert_array_equal(received(answer["restored"]), blurred)
    expected = peak_signal_noise_ratio(PIXELS, blurred)
    assert answer["scores"]["blurred"]["psnr"] == pytest.approx(expected, abs=0.01)
    assert answer["scores"]["restored"] == answer["scores"]["blurred"]
    assert 10 < expected < 35


@pytest.mark.parametrize(("name", "content", "message"), BAD)
def test_bad_uploads_get_an_answer(client: Any, name: str, content: bytes, message: str) -> None:
    answer = client.post("/restore?weights=mine", content=content)
    assert answer.status_code in (400, 413)
    assert message in answer.json()["error"]


@pytest.mark.parametrize(
    ("query", "content", "status"),
    [
        ("weights=mine", encode(np.zeros((400, 400, 3), np.uint8)), 413),  # more pixels than allowed
        ("weights=mine", bytes(2**20 + 1), 413),
        ("weights=mine", b"", 400),
        ("weights=../../etc/passwd", encode(PIXELS), 400),
        ("weights=mine&blur=gaussian&amount=1e9", encode(PIXELS), 400),
        ("weights=mine&blur=gaussian&amount=nan", encode(PIXELS), 400),
        ("weights=mine&blur=gaussian&amount=x", encode(PIXELS), 400),
        ("weights=mine&blur=zoom", encode(PIXELS), 400),
    ],
)
def test_limits(client: Any, query: str, content: bytes, status: int) -> None:
    answer = client.post(f"/restore?{query}", content=content)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_the_page_offers_the_blurs_that_the_server_takes(client: Any) -> None:
    ranges = re.search(r"const RANGES = \{(.*)\};", client.get("/").text)
    assert ranges
    most = {name: float(high) for name, high in re.findall(r"(\w+): \[[\d.]+, ([\d.]+), [\d.]+\]", ranges[1])}
    assert most == BLURS


@pytest.mark.slow
def test_the_page_suggests_the_shipped_weights_that_are_best_on_its_samples(client: Any) -> None:
    """By the mean PSNR over the middles of the samples, and visibly so for the first click on the first sample."""
    text = client.get("/").text
    best = dict(re.findall(r"(\w+): \"(\w+)\"", re.search(r"const BEST = \{(.*)\};", text)[1]))  # type: ignore[index]
    amounts = {name: float(amount) for name, amount in re.findall(r"(\w+): \[[\d.]+, [\d.]+, ([\d.]+)\]", text)}
    assert amounts.keys() == best.keys() == BLURS.keys()
    restorers = {name: load_restorer(name) for name in weights.shipped()}
    for blur, amount in amounts.items():
        gains: dict[str, list[float]] = {name: [] for name in restorers}
        for sample in server.SAMPLES.values():
            pixels = np.asarray(sample())
            top, left = (pixels.shape[0] - 256) // 2, (pixels.shape[1] - 256) // 2
            upload = encode(pixels[top : top + 256, left : left + 256])
            for name, restorer in restorers.items():
                wanted = PictureRequest(restorer=restorer, blur=blur, amount=amount)
                scores = answer(wanted, upload, most_pixels=100_000, on_tile=lambda: None)["scores"]
                gains[name].append(scores["restored"]["psnr"] - scores["blurred"]["psnr"])
        assert max(gains, key=lambda name: sum(gains[name])) == best[blur], gains
        assert blur != "gaussian" or gains[best[blur]][0] > 3, gains


def test_names_of_weights_are_text_and_not_html() -> None:
    from starlette.testclient import TestClient

    limits = server.Limits(bytes=1, pixels=1, waiting=1, upload_seconds=60)
    with TestClient(server.application({"<b>&": identity()}, limits=limits)) as opened:
        assert "<option>&lt;b&gt;&amp;</option>" in opened.get("/").text


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/samples/../demo.py", "/samples/%2e%2e%2fdemo.py", "/file=/etc/passwd", "/samples/x"]
)
def test_no_file_of_the_server_is_reachable(client: Any, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_users_take_turns_and_too_many_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One runs and one waits; the third is told so at once, and both others get their own picture."""
    from starlette.testclient import TestClient

    started, go_on = threading.Event(), threading.Event()

    class Slow(torch.nn.Module):
        def forward(self, blurred: torch.Tensor) -> torch.Tensor:
            started.set()
            assert go_on.wait(HANG_SECONDS)
            return blurred

    limits = server.Limits(bytes=2**20, pixels=100_000, waiting=1, upload_seconds=60)
    page = server.application({"slow": Restorer(Slow())}, limits=limits)
    pictures = [picture(number, 40, 40) for number in range(2)]
    answers: dict[int, Any] = {}
    with TestClient(page) as opened:

        def ask(user: int) -> None:
            answers[user] = opened.post(f"/restore?weights=slow&ticket={user}", content=encode(pictures[user]))

        users = [threading.Thread(target=ask, args=(user,)) for user in range(2)]
        users[0].start()
        assert started.wait(HANG_SECONDS)
        users[1].start()
        deadline = time.monotonic() + HANG_SECONDS
        while opened.get("/place?ticket=1").json()["before"] is None:  # its upload is under way
            assert time.monotonic() < deadline
            time.sleep(0.01)
        refused = opened.post("/restore?weights=slow", content=encode(pictures[0]))
        assert (refused.status_code, "Try again" in refused.json()["error"]) == (503, True)
        assert opened.get("/").status_code == 200  # the page answers meanwhile
        places = [opened.get(f"/place?ticket={user}").json()["before"] for user in range(3)]
        assert places == [0, 1, None]
        go_on.set()
        for user in users:
            user.join(HANG_SECONDS)
    for user, pixels in enumerate(pictures):
        np.testing.assert_array_equal(received(answers[user].json()["restored"]), pixels)


def test_transparency_is_kept() -> None:
    pixels = np.dstack([picture(3, 40, 60), np.linspace(0, 255, 40 * 60).reshape(40, 60).astype(np.uint8)])
    wanted = PictureRequest(restorer=identity(), blur="", amount=0.0)
    found = answer(wanted, encode(pixels), most_pixels=100_000, on_tile=lambda: None)
    encoded = base64.b64decode(found["restored"].partition(",")[2])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encoded))), pixels)


def asked(path: str, content: bytes, *, chunk_seconds: float = 0.0, leaves: threading.Event | None = None) -> Any:
    """The ASGI messages of a client that sends ``content`` in two halves, and leaves when it is told."""

    async def ask(page: Any) -> int | None:
        halves, status = [content[:-1], content[-1:]], None

        async def receive() -> dict[str, Any]:
            if halves:
                if chunk_seconds:  # without it, the upload is over before the loop turns to its time limit
                    await asyncio.sleep(chunk_seconds)
                half = halves.pop(0)
                return {"type": "http.request", "body": half, "more_body": bool(halves)}
            while leaves is None or not leaves.is_set():
                await asyncio.sleep(0.01)
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)

        target, _, query = path.partition("?")
        scope = {"type": "http", "method": "POST", "path": target, "query_string": query.encode(), "headers": []}
        await page({**scope, "http_version": "1.1"}, receive, send)
        return status

    return ask


def test_slow_uploads_end_in_time_and_hold_nobody_up() -> None:
    limits = server.Limits(bytes=2**20, pixels=100_000, waiting=1, upload_seconds=0.3)
    content = encode(PIXELS)

    async def both() -> tuple[list[int | None], int | None]:
        page = server.application({"mine": identity()}, limits=limits)
        slow = [
            asyncio.create_task(asked("/restore?weights=mine", content, chunk_seconds=3600)(page)) for _ in range(9)
        ]
        await asyncio.sleep(0.05)
        quick = await asked("/restore?weights=mine", content)(page)
        return [await one for one in slow], quick

    assert asyncio.run(both()) == ([408] * 9, 200)


def test_nothing_is_done_for_a_client_that_left() -> None:
    """Of a picture of 4 tiles the second is the last; the client that waits behind it has left before its turn."""
    tiles, leaves, left = 0, threading.Event(), threading.Event()
    loop: asyncio.AbstractEventLoop
    left.set()

    class Counting(torch.nn.Module):
        def forward(self, blurred: torch.Tensor) -> torch.Tensor:
            nonlocal tiles
            tiles += 1
            leaves.set()
            asyncio.run_coroutine_threadsafe(noticed(), loop).result(HANG_SECONDS)
            return blurred

    async def noticed() -> None:
        """Ends when the server has turned to the client that leaves: the timers of one loop go off in their order."""
        for _ in range(20):
            await asyncio.sleep(0.01)

    limits = server.Limits(bytes=2**24, pixels=2_000_000, waiting=4, upload_seconds=60)
    content = encode(picture(0, 700, 700))

    async def all_clients() -> list[int | None]:
        nonlocal loop
        loop = asyncio.get_running_loop()
        page = server.application({"mine": Restorer(Counting())}, limits=limits)
        clients = (asked("/restore?weights=mine", content, leaves=event)(page) for event in (leaves, left))
        return list(await asyncio.gather(*clients))

    assert asyncio.run(all_clients()) == [400, 400]
    assert 1 <= tiles <= 2


def test_a_long_strip_is_refused(client: Any) -> None:
    strip = encode(np.zeros((1, 60_000, 3), np.uint8))
    assert len(strip) < 1000
    answer = client.post("/restore?weights=mine", content=strip)
    assert (answer.status_code, "too long a strip" in answer.json()["error"]) == (413, True)


def test_postscript_reaches_no_interpreter(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("Ghostscript was called")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", never)
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 90 60\n%%EndComments\nshowpage\n%%EOF\n"
    answer = client.post("/restore?weights=mine", content=eps)
    assert (answer.status_code, "This is not a picture" in answer.json()["error"]) == (400, True)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """A headless Chromium with its downloads in ``tmp_path``."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="Selenium is not installed")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("there is no chromium and chromedriver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1100,1400"):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(tmp_path)})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()


@pytest.mark.slow
def test_the_page_in_chromium(browser: Any, tmp_path: Path, free_port: int) -> None:
    """Upload, deblur, slide, download; a sample blurred and scored; three bad uploads."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select, WebDriverWait

    network = UNet16(widths=[4, 8], residual=True)
    config = {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8], "residual": True}
    weights.save(network, config, tmp_path / "mine.safetensors")
    command = ["-m", "deblurlab.demo", f"weights={tmp_path}/mine.safetensors", f"port={free_port}", "trainer=cpu"]
    with subprocess.Popen([sys.executable, *command], cwd=tmp_path) as process:
        try:
            _wait_for(free_port)
            wait = WebDriverWait(browser, HANG_SECONDS)

            def find(name: str) -> Any:
                return browser.find_element(By.ID, name)

            def deblur() -> None:
                find("go").click()
                wait.until(lambda _: find("go").is_enabled())

            browser.get(f"http://localhost:{free_port}/")
            (tmp_path / "photo.png").write_bytes(encode(PIXELS))
            find("file").send_keys(str(tmp_path / "photo.png"))
            deblur()
            assert find("status").text == ""
            assert find("after").get_property("naturalWidth") == 90
            assert not find("scores").is_displayed()

            # the slider uncovers the picture after from its place on
            for at in (0, 30, 100):
                browser.execute_script(
                    "const s = document.getElementById('at'); s.value = arguments[0];"
                    "s.dispatchEvent(new Event('input'))",
                    at,
                )
                assert find("after").value_of_css_property("clip-path").rstrip(")").endswith(f" {at}%")

            find("download").click()
            saved = tmp_path / "photo_restored.png"
            wait.until(lambda _: saved.exists())
            np.testing.assert_array_equal(np.asarray(Image.open(saved)), PIXELS)

            # an answer that comes after another picture was chosen is not that picture's
            for name in ("first.png", "second.png"):
                (tmp_path / name).write_bytes(encode(PIXELS))
            find("file").send_keys(str(tmp_path / "first.png"))
            browser.execute_script(
                "const ask = window.fetch; window.fetch = async (...given) => {"
                "const answer = await ask(...given); await new Promise(go => setTimeout(go, 1000)); return answer; }"
            )
            find("go").click()
            find("file").send_keys(str(tmp_path / "second.png"))
            time.sleep(3)
            assert (find("chosen").text, find("result").is_displayed()) == ("second.png", False)
            assert find("go").is_enabled()

            # one click on a sample shows it blurred and restored, and another click ends the first
            browser.find_element(By.CSS_SELECTOR, "[data-sample=coffee]").click()
            browser.find_element(By.CSS_SELECTOR, "[data-sample=cat]").click()
            wait.until(lambda _: find("chosen").text == "cat.png" and find("scores").is_displayed())
            assert find("status").text == ""
            Select(find("blur")).select_by_value("motion")
            deblur()
            assert find("scores").is_displayed()
            assert 0.1 < float(find("ssim-blurred").text) < 1
            assert find("psnr-restored").text == find("psnr-blurred").text  # the network changes nothing
            browser.save_screenshot(str(tmp_path / "page.png"))
            narrow = {"width": 320, "height": 900, "deviceScaleFactor": 1, "mobile": True}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
            wait.until(lambda _: browser.execute_script("return document.documentElement.scrollWidth") == 320)
            browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

            Select(find("blur")).select_by_value("")
            for name, content, message in BAD:
                (tmp_path / name).write_bytes(content)
                find("file").send_keys(str(tmp_path / name))
                deblur()
                assert message in find("status").text
                assert not find("result").is_displayed()
        finally:
            process.terminate()


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    import socket

    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the page never came up")
