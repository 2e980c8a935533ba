"""What `backends/xla` relies on in Lightning and torch_xla without their promise: a new version may break it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.backends.xla.processes import run_module

pytest.importorskip("torch_xla", reason="torch_xla is not installed")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("internals") / "last.ckpt"


@pytest.fixture(scope="module")
def facts(checkpoint: Path) -> dict[str, Any]:
    done = run_module("tests.backends.xla.internals", str(checkpoint))
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_torch_xla_still_differentiates_elu_wrongly(facts: dict[str, Any]) -> None:
    """If this fails, backends/xla/elu.py can be deleted."""
    assert facts["slope of torch_xla"] == -1


def test_the_derivative_of_elu_is_mended_only_where_it_is_wrong(facts: dict[str, Any]) -> None:
    x = torch.tensor(-2.0, requires_grad=True)
    torch.nn.functional.elu(x).backward()
    assert facts["slope"] == pytest.approx(float(x.grad), rel=1e-5)
    assert not facts["a right slope is replaced"]


def test_the_strategy_has_what_its_parent_has(facts: dict[str, Any]) -> None:
    """It was made with all warnings as errors, but the parent's one about its own device."""
    assert facts["missing attributes"] == []


def test_the_strategy_multiplies_as_exactly_as_it_is_told(facts: dict[str, Any]) -> None:
    assert facts["precision of products"] == "high"


def test_a_step_runs_as_one_graph_after_hooks_and_clipping(facts: dict[str, Any]) -> None:
    """The precision calls a private method of Lightning, which calls the hooks before the optimizer's step."""
    assert facts["events"] == ["forward", "before the step", "clip", "run"]


def test_a_checkpoint_leaves_the_devices_in_one_transfer(facts: dict[str, Any], checkpoint: Path) -> None:
    assert facts["transfers of a checkpoint"] == 1
    written = torch.load(checkpoint, weights_only=True)["state_dict"]
    assert len(written) == 20
    assert all(torch.equal(tensor, torch.full((3,), float(name))) for name, tensor in written.items())
