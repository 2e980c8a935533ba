"""A run opened from Python tells what stands in its folder, reads it when it is asked for, and says what is amiss."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from deblurlab.restoring import load_restorer
from deblurlab.run import open_run
from deblurlab.run.results import read_per_image, write_per_image

EARLIER = Path(__file__).with_name("earlier_run")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(EARLIER, tmp_path / "run")


def test_configuration_epochs_and_scores(folder: Path) -> None:
    run = open_run(folder)
    assert (run.model, run.data, run.is_tested) == ("unet16", "sample", True)
    assert run.config == OmegaConf.load(folder / ".hydra/config.yaml")
    with (folder / "metrics.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert run.history == [{name: float(cell) for name, cell in row.items() if cell} for row in rows]
    assert run.history[0]["epoch"] == 1
    assert run.scores == json.loads((folder / "metrics.json").read_text())
    assert run.evaluations == {}
    shutil.copytree(folder, folder / "evaluate/reds", ignore=shutil.ignore_patterns("evaluate"))
    assert open_run(folder).evaluations == {"reds": run.scores}


def test_the_network_has_the_best_weights(folder: Path) -> None:
    images = torch.rand(2, 3, 16, 16)
    run = open_run(str(folder))
    torch.testing.assert_close(run.network(images), load_restorer(folder, device="cpu")(images), rtol=0, atol=0)
    assert not run.network.training
    assert run.network is run.network


def test_columns_of_each_image_come_back_as_they_were(folder: Path) -> None:
    columns = {"restored_ssim": [0.5, float("nan"), 1.0], "blurred_psnr": [20.25, float("inf"), 3e-7]}
    labels = {"frame": ["000/1.png", "001/2.png", "001/3, a.png"], "patch": [3, 0, 11], "sigma": [0.5, 1, 1.5]}
    write_per_image(columns, labels, folder / "per_image.csv")
    found = open_run(folder).per_image
    assert list(found) == ["image", "frame", "patch", "sigma", "restored_ssim", "blurred_psnr"]
    assert found["image"] == [0, 1, 2]
    for name, values in (labels | columns).items():
        assert found[name] == pytest.approx(values, nan_ok=True) if name != "frame" else found[name] == values


def test_nothing_is_read_before_it_is_asked_for(folder: Path) -> None:
    """Not even torch is imported, and a damaged file harms nobody who does not want it."""
    for name in ("metrics.csv", "metrics.json", "checkpoints/best.ckpt", "weights.safetensors"):
        (folder / name).write_text("epoch\ndamaged\n")
    code = (
        f"import sys; from deblurlab.run import open_run; print(open_run({str(folder)!r}).config.seed); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    run = open_run(folder)
    with pytest.raises(ValueError, match=r"metrics\.csv is damaged"):
        assert run.history
    with pytest.raises(ValueError, match=r"metrics\.json is damaged"):
        assert run.scores
    with pytest.raises(ValueError, match=r"best\.ckpt is not a checkpoint of deblurlab"):
        assert run.network


def test_a_run_that_is_not_finished_says_what_is_missing(folder: Path, tmp_path: Path) -> None:
    for name in ("metrics.csv", "metrics.json"):
        (folder / name).unlink()
    run = open_run(folder)
    assert (run.history, run.is_tested, run.evaluations) == ([], False, {})
    with pytest.raises(ValueError, match=r"metrics\.json is not there: the run was not tested yet"):
        assert run.scores
    with pytest.raises(ValueError, match=r"per_image\.csv is not there: the run was not tested yet"):
        assert run.per_image
    with pytest.raises(ValueError, match="is not the folder of a run"):
        open_run(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "image,sigma\n", "image,sigma\n0\n", "image\n0,1\n", "sigma\nx\n", "restored_ssim\n\n"]
)
def test_a_damaged_table_of_images_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "per_image.csv").write_text(text)
    with pytest.raises(ValueError, match=r"per_image\.csv is damaged"):
        read_per_image(tmp_path / "per_image.csv")


def test_a_network_of_ones_own_is_built_if_its_package_is_trusted(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs.py").write_text("from deblurlab.nets import UNet16\n\n\nclass Own(UNet16):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = OmegaConf.load(folder / ".hydra/config.yaml")
    config.model.network["_target_"] = "theirs.Own"
    OmegaConf.save(config, folder / ".hydra/config.yaml")
    with pytest.raises(ValueError, match=r"theirs\.Own.*trust=\[theirs\]"):
        assert open_run(folder).network
    assert type(open_run(folder, trust=["theirs"]).network).__name__ == "Own"
    with pytest.raises(ValueError, match="trust must be a list of names"):
        open_run(folder, trust="theirs")
