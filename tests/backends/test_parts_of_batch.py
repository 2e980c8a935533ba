"""A run that normalises per device, and goes on on another number of devices."""

import logging

import pytest

from deblurlab.backends import torch_devices
from deblurlab.backends.parts_of_batch import PartsOfBatch
from deblurlab.backends.torch_devices import TorchDevices
from tests.backends.test_torch_devices import settings


@pytest.mark.parametrize(
    ("batch_norm", "processes", "kept"), [("per_core", 1, [1]), ("per_core", 2, [2]), ("global", 2, [])]
)
def test_a_checkpoint_holds_over_how_many_parts_a_run_normalises(
    batch_norm: str, processes: int, kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_devices.os, "cpu_count", lambda: 8)
    for name, value in {"WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes, "RANK": 0, "LOCAL_RANK": 0}.items():
        monkeypatch.setenv(name, str(value))
    callbacks = TorchDevices().training(settings(devices=processes, batch_norm=batch_norm)).callbacks
    assert [one.state_dict()["parts"] for one in callbacks if isinstance(one, PartsOfBatch)] == kept


@pytest.mark.parametrize(("rank", "parts", "told"), [("0", 4, 1), ("1", 4, 0), ("0", 2, 0)])
def test_another_number_is_told_once(
    rank: str, parts: int, told: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "RANK": rank, "LOCAL_RANK": rank}.items():
        monkeypatch.setenv(name, value)
    caplog.set_level(logging.WARNING)
    PartsOfBatch(parts).load_state_dict(PartsOfBatch(2).state_dict())
    words = "normalised over each of 2 parts of a batch, and does so over 4 from here on"
    assert sum(words in line for line in caplog.messages) == len(caplog.messages) == told
