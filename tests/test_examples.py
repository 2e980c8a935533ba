"""The scripts of docs/examples, run as a reader runs them, in an empty folder: what they print and leave there."""

import csv
import json
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tests.conftest import ROOT

EXAMPLES = ROOT / "docs" / "examples"
RUN_HERE = {"open_a_run", "restore_an_array", "train_in_a_plain_loop"}


def run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What docs/examples/NAME.py prints."""
    monkeypatch.chdir(folder)
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    return capsys.readouterr().out


def test_every_example_has_a_test() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.py")} == RUN_HERE


def test_restore_an_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The restored photograph is closer to the sharp one, and what is saved is what was scored."""
    printed = run("restore_an_array", tmp_path, monkeypatch, capsys)
    assert "picture (400, 600, 3) uint8" in printed
    assert "batch (2, 3, 200, 600)" in printed
    tiles, difference = re.search(r"(\d+) tiles differ by ([\d.]+) of 255", printed).groups()  # type: ignore[union-attr]
    assert int(tiles) > 1
    assert float(difference) < 0.3
    scores = [tuple(map(float, pair)) for pair in re.findall(r"PSNR ([\d.]+) dB, SSIM ([\d.]+)", printed)]
    blurred, restored, sharp = np.hsplit(np.asarray(Image.open(tmp_path / "restored.png")), 3)
    for (decibels, similarity), picture in zip(scores, (blurred, restored), strict=True):
        assert decibels == pytest.approx(peak_signal_noise_ratio(sharp, picture), abs=0.01)
        assert similarity == pytest.approx(tensorflows_ssim(sharp, picture), abs=1e-3)
    assert scores[1] > scores[0]
    assert scores[1][1] > scores[0][1]


def tensorflows_ssim(sharp: np.ndarray, picture: np.ndarray) -> float:
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "win_size": 11}
    return float(structural_similarity(sharp, picture, channel_axis=2, data_range=255, **options))


@pytest.mark.slow
def test_open_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed is what stands in the folder of the run that the script trains."""
    monkeypatch.setattr("sys.argv", ["open_a_run.py"])
    printed = run("open_a_run", tmp_path, monkeypatch, capsys)
    rows = list(csv.DictReader((tmp_path / "small_run/metrics.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    for row in rows:
        assert f"epoch {row['epoch']}: validation SSIM {float(row['val/ssim']):.4f}" in printed
    result = json.loads((tmp_path / "small_run/metrics.json").read_text())
    assert f"restored test SSIM {result['restored']['ssim']:.4f} over 64 images" in printed
    images = list(csv.DictReader((tmp_path / "small_run/per_image.csv").read_text().splitlines()))
    best = max(images, key=lambda image: float(image["restored_ssim"]))
    assert f"best restored is image {best['image']}: " in printed
    assert "UNet16 with 482067 parameters: (2, 3, 64, 64)" in printed
    assert "any size: (1, 3, 61, 75)" in printed
    monkeypatch.setattr("sys.argv", ["open_a_run.py", str(tmp_path)])
    with pytest.raises(ValueError, match="is not the folder of a run"):
        run("open_a_run", tmp_path, monkeypatch, capsys)


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
