"""The scripts of docs/examples, run as a reader runs them, in an empty folder: what they print and leave there."""

import re
import runpy
from pathlib import Path

import pytest
import torch

from tests.conftest import ROOT

EXAMPLES = ROOT / "docs" / "examples"
RUN_HERE = {"train_in_a_plain_loop"}


def run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What docs/examples/NAME.py prints."""
    monkeypatch.chdir(folder)
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    return capsys.readouterr().out


def test_every_example_has_a_test() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.py")} == RUN_HERE


def test_train_in_a_plain_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The network learns: after two short epochs validation images are closer to the sharp ones than before."""
    printed = run("train_in_a_plain_loop", tmp_path, monkeypatch, capsys)
    scores = re.findall(r"PSNR ([\d.]+) dB -> ([\d.]+) dB", printed)
    assert len(scores) == 2
    (before, _), (same, second) = ((float(one), float(other)) for one, other in scores)
    assert before == same  # the blurred images do not change
    assert second > before + 0.3
    assert "layers.4.weight" in torch.load(tmp_path / "network.pt", weights_only=True)
