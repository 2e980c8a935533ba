"""A traced step is not run: Lightning's clean-up, which would run it, has no public switch."""

import json
from pathlib import Path

import pytest

from tests.backends.xla.processes import run_module

pytest.importorskip("torch_xla", reason="torch_xla is not installed")


def test_tracing_compiles_and_runs_nothing_of_the_step(tiny_cifar10: Path, tmp_path: Path) -> None:
    overrides = ("model=unet16", "model.network.widths=[4,8]", f"data.root={tiny_cifar10}", "data.batch_size=8")
    done = run_module("tests.backends.xla.lower", str(tmp_path / "step.hlo"), *overrides)
    assert done.returncode == 0, done.stderr
    traced, ended = json.loads(done.stdout.splitlines()[-1])
    assert traced == ended
    assert "convolution" in (tmp_path / "step.hlo").read_text()
