"""The parts of trainer=tpu that need no XLA device."""

import multiprocessing
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from deblurlab.backends import xla
from deblurlab.backends.xla import installation
from deblurlab.backends.xla.device_loader import DeviceLoader, ResumableDeviceLoader
from deblurlab.backends.xla.hosts import Hosts
from tests.conftest import HANG_SECONDS


def test_a_tpu_is_looked_for_among_the_pci_devices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A private function of torch_xla: if this fails, look for what has replaced it, and let `tpu_found` ask that."""
    tpu = pytest.importorskip("torch_xla._internal.tpu", reason="torch_xla is not installed")
    assert isinstance(tpu.num_available_chips(), int)
    monkeypatch.setattr(installation, "_PCI_DEVICES", tmp_path)
    for vendor in ("0x8086", tpu._GOOGLE_PCI_VENDOR_ID):
        (tmp_path / vendor).mkdir()
        (tmp_path / vendor / "vendor").write_text(f"{vendor}\n")
        for chips in (0, 4):
            monkeypatch.setattr(tpu, "num_available_chips", lambda chips=chips: chips)
            assert xla.tpu_found() == (chips > 0 and vendor != "0x8086")


@pytest.mark.parametrize(
    ("reason", "fix"),
    [
        ("libpython3.13.so.1.0: cannot open shared object file", r"in the package libpython3\.\d+\.$"),
        ("_XLAC.so: undefined symbol: _ZN3c10", r"pip install 'deblurlab\[tpu\]'"),
    ],
)
def test_a_torch_xla_that_cannot_be_imported_is_explained(reason: str, fix: str, tmp_path: Path) -> None:
    (tmp_path / "torch_xla").mkdir()
    (tmp_path / "torch_xla/__init__.py").write_text(f"raise ImportError({reason!r})")
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from deblurlab.backends.xla import require_torch_xla
try:
    require_torch_xla("trainer=tpu")
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"trainer=tpu needs torch_xla, which is installed but cannot be imported: {reason}. ")
    assert re.search(fix, done.stdout.strip())


def test_a_training_on_the_cpu_does_not_import_torch_xla() -> None:
    """Lightning's Trainer would, to look for a TPU."""
    program = """
import sys
from lightning.pytorch import Trainer
from deblurlab import backends
from deblurlab.backends import DeviceSettings
settings = DeviceSettings(
    accelerator="cpu",
    devices=1,
    precision="32-true",
    graph="batch",
    float32="highest",
    batch_norm="global",
    keep_memory=False,
)
Trainer(**backends.choose("auto").training(settings).arguments, logger=False, enable_checkpointing=False)
sys.exit("torch_xla" in sys.modules)
"""
    if installation.tpu_found():
        pytest.skip("there is a TPU")
    subprocess.run([sys.executable, "-c", program], check=True)


class Broken(Dataset[int]):
    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> int:
        if index == 5:
            raise ValueError("image 5 is damaged")
        return index


def test_the_loader_raises_what_the_data_set_raised() -> None:
    loader = DeviceLoader(DataLoader(Broken(), batch_size=None), send=lambda batch: batch)
    batches = iter(loader)
    assert [next(batches) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="image 5 is damaged"):
        next(batches)


class Counting:
    """Gives the batches 0, 1, ... 9, and counts how many have been asked for."""

    def __init__(self) -> None:
        self.made = 0

    def __len__(self) -> int:
        return 10

    def __iter__(self) -> Iterator[int]:
        for batch in range(self.made, 10):
            self.made += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        return {"made": self.made}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.made = state["made"]


def test_the_state_is_that_of_the_last_batch_handed_out_not_of_the_last_prefetched() -> None:
    source = Counting()
    loader = ResumableDeviceLoader(source, send=lambda batch: batch)
    assert loader.state_dict() == {"made": 0}
    batches = iter(loader)
    assert [next(batches) for _ in range(3)] == [0, 1, 2]
    while source.made < 4:  # the thread is ahead
        pass
    state = loader.state_dict()
    assert state == {"made": 3}
    batches.close()  # type: ignore[attr-defined]

    resumed = ResumableDeviceLoader(Counting(), send=lambda batch: batch)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    assert list(resumed) == [3, 4, 5, 6, 7, 8, 9]
    assert resumed.state_dict() == {"made": 10}


def test_a_loader_left_early_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    for batch in DeviceLoader(Counting(), send=lambda batch: batch):
        if batch == 2:
            break
    assert set(threading.enumerate()) <= before


def _meet(index: int, port: int, results: Any) -> None:
    hosts = Hosts(index=index, count=3, master="localhost", port=port)
    told = [hosts.broadcast({"folder": f"run{index}", "loss": torch.tensor(float(index))}, source) for source in (0, 2)]
    largest = [hosts.largest([-index, index * turn]) for turn in range(3)]
    hosts.barrier()
    hosts.barrier()
    results.put((index, [(value["folder"], float(value["loss"])) for value in told], largest))


def test_hosts_meet_and_hear_the_same() -> None:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    hosts = [context.Process(target=_meet, args=(index, port, results)) for index in range(3)]
    for host in hosts:
        host.start()
    heard, largest = {}, []
    for _ in hosts:
        index, told, numbers = results.get(timeout=HANG_SECONDS)
        heard[index] = told
        largest.append(numbers)
    for host in hosts:
        host.join(HANG_SECONDS)
        assert host.exitcode == 0
    assert heard == {host: [("run0", 0.0), ("run2", 2.0)] for host in range(3)}
    assert largest == [[[0, 0], [0, 2], [0, 4]]] * 3
