from typing import Any

import pytest
import torch

from deblurlab.backends import DeviceSettings, torch_devices
from deblurlab.backends.torch_devices import TorchDevices


def settings(**options: Any) -> DeviceSettings:
    usual = {"accelerator": "cpu", "devices": 1, "precision": "auto", "graph": "batch", "keep_memory": False}
    return DeviceSettings(**(usual | options))


@pytest.mark.parametrize(
    ("cuda", "mps", "accelerator", "kind"),
    [
        (True, False, "auto", "cuda"),
        (False, True, "auto", "mps"),
        (False, False, "auto", "cpu"),
        (True, True, "gpu", "cuda"),
        (False, True, "gpu", "mps"),
        (True, True, "mps", "mps"),
        (True, True, "cpu", "cpu"),
    ],
)
def test_the_best_device_of_a_name_is_taken(
    cuda: bool, mps: bool, accelerator: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert TorchDevices().device(accelerator).type == kind
    training = TorchDevices().training(settings(accelerator=accelerator, devices="auto", precision="32-true"))
    assert (training.arguments["accelerator"], training.arguments["devices"]) == (kind, 1)
    assert training.devices == 1


def test_a_gpu_may_be_chosen_by_its_index_but_not_several() -> None:
    assert TorchDevices().training(settings(devices=[3])).arguments["devices"] == [3]
    for devices in (2, [0, 1]):
        with pytest.raises(ValueError, match="a run takes one CPU or GPU"):
            TorchDevices().training(settings(devices=devices))


@pytest.mark.parametrize(
    ("accelerator", "keep", "kept"), [("cpu", True, True), ("cpu", False, False), ("cuda", True, False)]
)
def test_memory_is_kept_on_the_cpu_where_it_is_asked_for(
    accelerator: str, keep: bool, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(torch_devices, "keep_freed_memory", lambda: calls.append(True))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    TorchDevices().training(settings(accelerator=accelerator, keep_memory=keep, precision="32-true"))
    assert calls == [True] * kept
