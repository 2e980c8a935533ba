"""What is bfloat16 and what is not, read from the lowered training step."""

import re
from pathlib import Path

import pytest

from tests.backends.xla.processes import run_module

pytest.importorskip("torch_xla", reason="torch_xla is not installed")


@pytest.fixture(scope="module")
def step(tiny_cifar10: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The HLO of REDNet30's step: it has convolutions, BatchNorm, ELU, the loss, the blur and Adam."""
    file = tmp_path_factory.mktemp("hlo") / "step.hlo"
    overrides = ("model=rednet30", f"data.root={tiny_cifar10}", "data.batch_size=8")
    done = run_module("tests.backends.xla.lower", str(file), *overrides)
    assert done.returncode == 0, done.stderr
    return file.read_text()


def operations(step: str, name: str) -> list[str]:
    """The lines of all operations of that name, with their results and operands."""
    return [line for line in step.splitlines() if re.search(rf" {name}\(", line)]


def test_every_convolution_is_bfloat16(step: str) -> None:
    convolutions = operations(step, "convolution")
    assert len(convolutions) == 3 * 31  # forward, and the gradients of the weights and of the inputs
    for line in convolutions:
        assert re.search(r"= bf16\[.*convolution\(bf16\[.*bf16\[", line), line


def test_weights_and_optimizer_state_are_float32(step: str) -> None:
    results = next(line for line in step.splitlines() if line.lstrip().startswith("ROOT") and "tuple(" in line)
    entry = step[step.index("ENTRY") :]
    assert len(operations(entry, "parameter")) > 4 * 122  # 122 weights, each with Adam's step and two averages
    assert not [line for line in operations(entry, "parameter") if re.search(r"bf16\[\d", line)]  # scalars may be
    assert "bf16" not in results


def test_batch_norm_is_float32(step: str) -> None:
    """Thirty normalisations, each with two sums forward and two backward over the batch, and a deviation."""
    deviations = operations(step, "rsqrt")
    assert len(deviations) == 30
    assert not [line for line in deviations if "bf16" in line]
    sums = [line for line in operations(step, "reduce") if re.search(r"= f32\[128(,\d+)?\].* reduce\(f32\[", line)]
    assert len(sums) == 4 * 30


def test_the_loss_is_float32(step: str) -> None:
    logarithms = operations(step, "log-plus-one")  # only log-cosh has them
    assert logarithms
    assert not [line for line in logarithms if "bf16" in line]
