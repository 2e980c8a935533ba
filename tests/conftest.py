"""What tests share: the real data where it is, tiny data where it is not, and commands run as a user runs them."""

import contextlib
import importlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hydra.core.hydra_config import HydraConfig
from hypothesis import HealthCheck, settings
from PIL import Image

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in a shell's background; processes of tests inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # under nohup
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

ROOT = Path(__file__).parents[1]  # where the modules of these tests are

# After so many seconds a process of a test hangs. A machine that is ten times slower, or starved, needs far less.
HANG_SECONDS = 900.0

Call = Callable[..., None]

# No example is late on a slow machine, and each run draws the same ones.
settings.register_profile("tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def pytest_runtest_setup() -> None:
    """Let each test draw the same numbers, whatever has run before it in its process."""
    import torch  # here, since processes of tests import this module, too

    torch.manual_seed(0)


@pytest.fixture(scope="session")
def real_data() -> Path:
    root = os.environ.get("DEBLURLAB_TEST_DATA")
    if not root:
        pytest.skip("DEBLURLAB_TEST_DATA does not name the folder of real test data")
    return Path(root)


def encode(pixels: np.ndarray, form: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form, **({"lossless": True} if form == "WEBP" else {}))
    return stream.getvalue()


def write_parquet(file: Path, images: list[bytes]) -> None:
    rows = [{"bytes": image, "path": f"{number}.png"} for number, image in enumerate(images)]
    pq.write_table(pa.table({"img": rows, "label": [0] * len(rows)}), file)


def write_tiny_cifar10(root: Path) -> Path:
    """40 training and 10 test images, smooth enough that a blurred one can be told from a sharp one."""
    root.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for split, count in (("train", 40), ("test", 10)):
        coarse = rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
        write_parquet(root / f"{split}-00000-of-00001.parquet", [encode(x.repeat(4, 0).repeat(4, 1)) for x in coarse])
    return root


@pytest.fixture(scope="session")
def tiny_cifar10(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny CIFAR-10, see :func:`write_tiny_cifar10`."""
    return write_tiny_cifar10(tmp_path_factory.mktemp("cifar10"))


def run_command(folder: Path, name: str, *overrides: str) -> subprocess.CompletedProcess[str]:
    """``python -m deblurlab.NAME ...`` in ``folder``, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", f"deblurlab.{name}", *overrides],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "HYDRA_FULL_ERROR"}
        | {"PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )


def wait_for_end_of_processes_in(folder: Path) -> None:
    """Wait until no process has ``folder`` as its working directory, on Linux; one that is dead has none."""
    deadline = time.monotonic() + HANG_SECONDS
    while running := _running_in(folder):
        assert time.monotonic() < deadline, running
        time.sleep(0.05)


def _running_in(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            if (process / "cwd").readlink() == folder:
                found.append(process.name)
    return found


@pytest.fixture(scope="session")
def tiny_reds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two training sequences and a test sequence of four 64x36 frames in REDS' layout."""
    from tests.pictures import write_reds

    return write_reds(tmp_path_factory.mktemp("reds"), sequences=2, frames=4, test_sequences=1)


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command in this process, in an empty folder: what it raises is the test's to catch."""

    def run(name: str, *overrides: str) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
        monkeypatch.setattr(sys, "argv", [name, *overrides])
        try:
            importlib.import_module(f"deblurlab.{name}").main()
        finally:
            HydraConfig.instance().cfg = None  # Hydra leaves it to whatever comes next

    return run
