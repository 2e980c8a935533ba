"""Which backend serves ``trainer.accelerator``."""

import importlib.util

import pytest
import torch

from deblurlab import backends
from deblurlab.backends import DeviceSettings
from deblurlab.backends.torch_devices import TorchDevices
from deblurlab.backends.xla import XLA, xla_backend

SETTINGS = {
    "devices": 1,
    "precision": "auto",
    "graph": "batch",
    "float32": "highest",
    "keep_memory": False,
    "batch_norm": "global",
}


@pytest.mark.parametrize(
    ("accelerator", "tpu", "chosen"),
    [
        ("auto", True, XLA),
        ("auto", False, TorchDevices),
        ("tpu", True, XLA),
        ("tpu", False, XLA),
        ("xla_cpu", False, XLA),
        ("cpu", True, TorchDevices),
        ("gpu", True, TorchDevices),
    ],
)
def test_the_first_backend_that_finds_its_hardware_is_chosen(
    accelerator: str, tpu: bool, chosen: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xla_backend, "tpu_found", lambda: tpu)
    assert type(backends.choose(accelerator)) is chosen


def test_an_unknown_accelerator_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"trainer.accelerator=abacus: .* auto, cpu, cuda, gpu, mps, tpu, xla_cpu\."):
        backends.choose("abacus")


def test_without_torch_xla_a_tpu_says_what_to_install_and_auto_takes_another(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch_xla" else found(name))
    assert isinstance(backends.choose("auto"), TorchDevices)
    with pytest.raises(ValueError, match=r"trainer=tpu needs torch_xla.*pip install 'deblurlab\[tpu\]'"):
        backends.choose("tpu").training(DeviceSettings(accelerator="tpu", **SETTINGS))
    with pytest.raises(ValueError, match=r"trainer=xla_cpu needs torch_xla"):
        backends.choose("xla_cpu").device("xla_cpu")


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_error_says_what_takes_the_best_device() -> None:
    with pytest.raises(ValueError, match=r"trainer.accelerator=gpu: PyTorch finds no GPU here. trainer=auto takes"):
        backends.choose("gpu").device("gpu")


def test_another_graph_is_refused() -> None:
    with pytest.raises(ValueError, match=r"trainer.graph must be batch or step, got epoch"):
        DeviceSettings(**(SETTINGS | {"accelerator": "cpu", "graph": "epoch"}))
    with pytest.raises(ValueError, match=r"trainer.float32 must be highest or high, got medium"):
        DeviceSettings(**(SETTINGS | {"accelerator": "cpu", "float32": "medium"}))
    with pytest.raises(ValueError, match=r"trainer.batch_norm must be global or per_core, got none"):
        DeviceSettings(**(SETTINGS | {"accelerator": "cpu", "batch_norm": "none"}))
