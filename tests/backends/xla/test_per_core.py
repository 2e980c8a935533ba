"""``trainer.batch_norm=per_core`` on eight XLA devices is what eight devices that do not talk compute."""

import json

import pytest

from tests.backends.xla.processes import run_module

pytest.importorskip("torch_xla", reason="torch_xla is not installed")


@pytest.mark.slow
def test_each_core_normalises_its_own_images() -> None:
    done = run_module("tests.backends.xla.per_core")
    assert done.returncode == 0, done.stderr
    errors: dict[str, float] = json.loads(done.stdout)
    assert errors["statistics"] < 1e-5, errors
    assert errors["gradients"] < 1e-4, errors
