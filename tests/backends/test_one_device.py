import logging
from typing import Any

import pytest
import torch

from deblurlab.backends import DeviceSettings, one_device
from deblurlab.backends.one_device import OneDevice, cpu_multiplies_bfloat16, fast_precision


def settings(**options: Any) -> DeviceSettings:
    usual = {"accelerator": "cpu", "devices": 1, "precision": "auto", "graph": "batch", "keep_memory": False}
    return DeviceSettings(**(usual | options))


def test_torch_says_whether_the_cpu_multiplies_bfloat16() -> None:
    """Private functions: if this fails, look for what has replaced them, and let `cpu_multiplies_bfloat16` ask that."""
    assert isinstance(torch.cpu._is_avx512_bf16_supported(), bool)
    assert isinstance(torch.cpu._is_amx_tile_supported(), bool)


@pytest.mark.parametrize(
    ("capability", "avx512", "amx", "fast"),
    [
        ("AVX2", True, True, False),
        ("AVX512", False, False, False),
        ("AVX512", True, False, True),
        ("AVX512", False, True, True),
    ],
)
def test_bfloat16_is_for_cpus_that_multiply_it(
    capability: str, avx512: bool, amx: bool, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert fast_precision("cpu") == ("bf16-mixed" if fast else "32-true")


def test_a_torch_that_does_not_say_trains_in_float32(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")
    with caplog.at_level(logging.WARNING):
        assert not cpu_multiplies_bfloat16()
    assert "using float32" in caplog.text


@pytest.mark.parametrize(("capability", "precision"), [((7, 5), "32-true"), ((8, 0), "bf16-mixed")])
def test_bfloat16_is_for_ampere_and_later(
    capability: tuple[int, int], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert fast_precision("cuda") == precision


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
    assert OneDevice().device(accelerator).type == kind
    training = OneDevice().training(settings(accelerator=accelerator, devices="auto", precision="32-true"))
    assert (training.arguments["accelerator"], training.arguments["devices"]) == (kind, 1)
    assert training.devices == 1


def test_a_gpu_may_be_chosen_by_its_index_but_not_several() -> None:
    assert OneDevice().training(settings(devices=[3])).arguments["devices"] == [3]
    for devices in (2, [0, 1]):
        with pytest.raises(ValueError, match="a run takes one CPU or GPU"):
            OneDevice().training(settings(devices=devices))


@pytest.mark.parametrize(
    ("accelerator", "keep", "kept"), [("cpu", True, True), ("cpu", False, False), ("cuda", True, False)]
)
def test_memory_is_kept_on_the_cpu_where_it_is_asked_for(
    accelerator: str, keep: bool, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(one_device, "keep_freed_memory", lambda: calls.append(True))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    OneDevice().training(settings(accelerator=accelerator, keep_memory=keep, precision="32-true"))
    assert calls == [True] * kept
