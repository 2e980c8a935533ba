import re
from typing import Any

import pytest
import torch

from deblurlab.backends import DeviceSettings, torch_devices
from deblurlab.backends.torch_devices import TorchDevices


def settings(**options: Any) -> DeviceSettings:
    usual = {
        "accelerator": "cpu",
        "devices": 1,
        "precision": "32-true",
        "graph": "batch",
        "float32": "highest",
        "keep_memory": False,
    }
    return DeviceSettings(**(usual | {"batch_norm": "global"} | options))


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with four GPUs and eight cores."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch_devices.os, "cpu_count", lambda: 8)


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
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert TorchDevices().device(accelerator).type == kind
    training = TorchDevices().training(settings(accelerator=accelerator, devices="auto", precision="32-true"))
    assert (training.arguments["accelerator"], training.arguments["devices"]) == (kind, 1)
    assert training.devices == 1


@pytest.mark.parametrize(
    ("accelerator", "devices", "count"),
    [
        *(("cuda", 2, 2), ("cuda", "4", 4), ("cuda", "auto", 4), ("cuda", [1, 3], 2), ("cuda", [3], 1)),
        *(("cpu", 3, 3), ("cpu", "auto", 1)),
    ],
)
def test_a_process_for_each_device(
    accelerator: str, devices: Any, count: int, monkeypatch: pytest.MonkeyPatch, four: None
) -> None:
    assert TorchDevices().processes(settings(accelerator=accelerator, devices=devices)) == count
    # the processes that torchrun, or this command, has started for them start no others
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.setenv(name, str(count))
    for name in ("RANK", "LOCAL_RANK"):
        monkeypatch.setenv(name, "0")
    assert TorchDevices().processes(settings(accelerator=accelerator, devices=devices)) == (1 if count > 1 else count)
    chosen = devices if isinstance(devices, list) else count
    arguments = TorchDevices().training(settings(accelerator=accelerator, devices=devices)).arguments
    assert arguments["devices"] == chosen
    assert ("strategy" in arguments) == (count > 1)


@pytest.mark.parametrize(
    ("accelerator", "devices", "message"),
    [
        (
            "cuda",
            5,
            r"trainer.devices=5: this machine has 4 GPUs. Choose a number from 1 to 4, a list of their indices",
        ),
        ("cuda", [4], r"trainer.devices=\[4\]: this machine has 4 GPUs"),
        ("cpu", 9, r"trainer.devices=9: this machine has 8 CPU cores. Choose a number from 1 to 8, or auto\."),
        ("cpu", 0, r"trainer.devices=0: this machine has 8 CPU cores"),
        ("mps", 2, r"trainer.devices=2: this machine has 1 GPU\."),
    ],
)
def test_devices_that_the_machine_lacks(accelerator: str, devices: Any, message: str, four: None) -> None:
    with pytest.raises(ValueError, match=message):
        TorchDevices().processes(settings(accelerator=accelerator, devices=devices))


def test_a_command_that_starts_no_processes_takes_one_device(four: None) -> None:
    with pytest.raises(ValueError, match=r"trainer.devices=2: several devices train a network, this command takes one"):
        TorchDevices().training(settings(devices=2))


@pytest.mark.parametrize(
    ("accelerator", "devices", "processes", "hosts", "message"),
    [
        (
            *("cpu", 2, 4, 1),
            "torchrun has started 4 processes on this host, and trainer.devices=2 asks for 2: set trainer.devices=4 or "
            "auto, or start as many as trainer.devices says (torchrun --nproc-per-node, srun --ntasks-per-node).",
        ),
        ("cuda", [0], 4, 1, "trainer.devices=[0] asks for 1: set trainer.devices=4 or auto"),
        ("cpu", "auto", 9, 1, "trainer.devices=9: this machine has 8 CPU cores."),
        (
            *("cuda", "auto", 6, 1),
            "torchrun has started 6 processes on this host, and this one sees 4 GPUs: let each of them see all GPUs",
        ),
        ("cuda", 4, 4, 3, "torchrun has started 7 processes on 3 hosts: start as many as trainer.devices says"),
    ],
)
def test_as_many_processes_as_devices_on_each_host(
    accelerator: str,
    devices: Any,
    processes: int,
    hosts: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    four: None,
) -> None:
    world = processes if hosts == 1 else 7
    started = {
        "WORLD_SIZE": world,
        "LOCAL_WORLD_SIZE": processes,
        "GROUP_WORLD_SIZE": hosts,
        "RANK": 0,
        "LOCAL_RANK": 0,
    }
    for name, value in started.items():
        monkeypatch.setenv(name, str(value))
    with pytest.raises(ValueError, match=re.escape(message)):
        TorchDevices().training(settings(accelerator=accelerator, devices=devices))


@pytest.mark.parametrize(("accelerator", "processes"), [("cpu", 2), ("cuda", 3)])
def test_auto_is_one_device_for_each_process_that_was_started(
    accelerator: str, processes: int, monkeypatch: pytest.MonkeyPatch, four: None
) -> None:
    started = {"WORLD_SIZE": 2 * processes, "LOCAL_WORLD_SIZE": processes, "RANK": 0, "LOCAL_RANK": 0}
    for name, value in started.items():
        monkeypatch.setenv(name, str(value))
    arguments = TorchDevices().training(settings(accelerator=accelerator, devices="auto")).arguments
    assert (arguments["devices"], arguments["num_nodes"]) == (processes, 2)


@pytest.mark.parametrize(
    ("accelerator", "keep", "kept"), [("cpu", True, True), ("cpu", False, False), ("cuda", True, False)]
)
def test_memory_is_kept_on_the_cpu_where_it_is_asked_for(
    accelerator: str, keep: bool, kept: bool, monkeypatch: pytest.MonkeyPatch, four: None
) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(torch_devices, "keep_freed_memory", lambda: calls.append(True))
    TorchDevices().training(settings(accelerator=accelerator, keep_memory=keep, precision="32-true"))
    assert calls == [True] * kept
