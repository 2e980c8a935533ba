"""Weights files of strangers: they take no more memory than they hold."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from deblurlab.app import build
from deblurlab.restoring import load_restorer
from deblurlab.run import weights
from deblurlab.run.sketch import sketch
from tests.strangers.conftest import set_config


@pytest.fixture
def file(tmp_path: Path) -> Path:
    config = {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}
    weights.save(build.instantiated(config), config, tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


def claiming(file: Path, network: str) -> None:
    save_file(load_file(file), file, {"format": "deblurlab 1", "network": network})


HUGE = [
    {"_target_": "deblurlab.nets.MSDeblur", "blocks": 100_000},
    {"_target_": "deblurlab.nets.MSDeblur", "blocks": 10**15},
    {"_target_": "deblurlab.nets.UNet16", "widths": [4] * 5000},
    {"_target_": "deblurlab.nets.UNet16", "widths": [2**20, 2**20]},
    {"_target_": "deblurlab.nets.UNet16", "widths": [2**40, 2**40]},
]


def few_modules(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the modules that are made."""
    count, make = [0], nn.Module.__init__

    def counted(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        count[0] += 1
        make(self, *args, **kwargs)

    monkeypatch.setattr(nn.Module, "__init__", counted)
    return count


@pytest.mark.parametrize("network", HUGE)
def test_a_weights_file_cannot_ask_for_more_than_it_holds(
    network: dict[str, Any], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after a thousand modules, whatever the file asks for; no number of theirs takes memory."""
    claiming(file, json.dumps(network))
    count = few_modules(monkeypatch)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"far larger than the \d+ tensors|are of another network|cannot be built"):
        load_restorer(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count[0] < 2000
    assert peak < 2**25


def test_nor_can_a_run(run: Path, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_config(run, "model.network", {"_target_": "deblurlab.nets.MSDeblur", "blocks": 100_000})
    Image.fromarray(np.zeros((16, 16, 3), dtype=np.uint8)).save(run.with_name("photo.png"))
    count = few_modules(monkeypatch)
    for command in (("evaluate", "run=run"), ("restore", "input=photo.png", "weights=run")):
        assert "the network that is asked for is far larger than the" in refused(*command)
    assert count[0] < 4000


def test_the_sketch_is_of_the_network_s_shapes(file: Path) -> None:
    chosen = weights.load(str(file))
    drawn = sketch(lambda: build.instantiated(chosen.network), tensors=len(chosen.shapes))
    assert {value.device.type for value in drawn.state_dict().values()} == {"meta"}
    weights.require_fit(drawn, chosen)
    assert "state" not in vars(chosen)  # nothing was read for it
    assert nn.Linear(1, 1).weight.device.type == "cpu"


def test_numbers_that_a_constructor_needs_are_drawn_for_a_sketch() -> None:
    """Such as those of a table that a network of the user's computes on the CPU."""
    assert sketch(lambda: torch.zeros(8, device="cpu").normal_(), tensors=1).all()


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("[" * 200_000, "does not say which network it is of"),
        ('{"a":' * 50_000, "does not say which network it is of"),
        (json.dumps({"_target_": "deblurlab.nets.UNet16", "widths": [4] * 400_000}), "its header alone has"),
        ("7" * 5000, "does not say which network it is of"),
        ("null", "is not of a network of deblurlab.nets"),
    ],
)
def test_metadata_that_is_too_much(network: str, message: str, file: Path) -> None:
    claiming(file, network)
    with pytest.raises(ValueError, match=r"mine\.safetensors") as error:
        weights.load(str(file))
    assert message in str(error.value)
    assert len(str(error.value)) < 1000


def test_weights_that_start_a_training_may_say_odd_arguments() -> None:
    network = {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}
    assert not weights.same_network(network | {"depth": 3}, network)
