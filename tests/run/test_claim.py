"""The configuration in a run's folder: written whole or not at all, and kept as the command line said it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from deblurlab.run.changed_settings import absolute_root
from deblurlab.run.claim import claim
from deblurlab.run.defaults import with_defaults
from deblurlab.run.run_folder import RunFolder
from deblurlab.run.saved_run import load_run
from tests.conftest import ROOT

CONFIG = {
    "model": {"network": {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}},
    "data": {"_target_": "deblurlab.data.Sample"},
    "trainer": {"max_epochs": 3},
    "seed": 1,
    "monitor": "val/ssim",
    "ckpt_path": None,
}
SETTINGS = {"runtime": {"choices": {"model": "unet16", "data": "sample"}}, "run": {"dir": "${run}"}}


def test_what_a_killed_process_left_half_written_is_removed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.checkpoints.mkdir()
    left = [tmp_path / ".metrics.csv.partial", folder.checkpoints / ".best.ckpt.partial"]
    for file in (*left, folder.best_checkpoint):
        file.write_text("half")
    claim(folder, OmegaConf.create(CONFIG | {"ckpt_path": "last"}), overrides=[], hydra=SETTINGS)
    assert not any(file.exists() for file in left)
    assert folder.best_checkpoint.exists()


def test_a_run_is_read_as_it_was_claimed(tmp_path: Path) -> None:
    """An override that refers to another key stays a text; Hydra's own settings keep their references."""
    folder = RunFolder(tmp_path / "new/run")
    claim(folder, OmegaConf.create(CONFIG), overrides=["seed=1", "model.x=${seed}"], hydra=SETTINGS)
    run = load_run(folder.path)
    assert (run.folder, run.model, run.data) == (folder, "unet16", "sample")
    assert run.config == with_defaults(CONFIG)
    overrides = OmegaConf.to_container(OmegaConf.load(folder.overrides_file), resolve=False)
    assert overrides == ["seed=1", "model.x=${seed}"]
    assert "dir: ${run}" in folder.hydra_file.read_text()


def test_data_is_found_from_everywhere(tmp_path: Path) -> None:
    for root, kept in (
        ("cifar10", str(Path("cifar10").absolute())),
        ("~/cifar10", str(Path.home() / "cifar10")),
        ("gs://bucket/reds", "gs://bucket/reds"),
    ):
        folder = RunFolder(tmp_path / kept.replace("/", "_"))
        claim(folder, OmegaConf.create(CONFIG | {"data": {"root": root}}), overrides=[], hydra=SETTINGS)
        assert load_run(folder.path).config.data.root == kept


def test_a_resumed_run_rewrites_what_differs_alone(tmp_path: Path) -> None:
    """Hydra's settings of the resuming command name other configurations, if it names only the folder."""
    folder = RunFolder(tmp_path / "run")
    claim(folder, OmegaConf.create(CONFIG), overrides=["seed=${x}"], hydra=SETTINGS)
    folder.checkpoints.mkdir()
    folder.last_checkpoint.touch()
    resumed = OmegaConf.create(CONFIG | {"ckpt_path": "last"})
    before = {file: file.stat().st_ino for file in (folder.hydra_file, folder.overrides_file)}
    claim(folder, resumed, overrides=["run=run", "ckpt_path=last"], hydra={"runtime": {"choices": {"model": "other"}}})
    assert {file: file.stat().st_ino for file in before} == before
    assert load_run(folder.path).model == "unet16"
    claim(folder, resumed, overrides=["trainer.max_epochs=5", "ckpt_path=last"], hydra=SETTINGS)
    told = OmegaConf.to_container(OmegaConf.load(folder.overrides_file), resolve=False)
    assert told == ["seed=${x}", "trainer.max_epochs=5"]


@pytest.mark.parametrize("left", ["checkpoints", "checkpoints/.last.ckpt.partial"])
def test_a_folder_without_a_checkpoint_is_started_again(left: str, tmp_path: Path) -> None:
    """A kill during the very first checkpoint leaves this."""
    folder = RunFolder(tmp_path / "run")
    claim(folder, OmegaConf.create(CONFIG), overrides=[], hydra=SETTINGS)
    folder.checkpoints.mkdir()
    if "partial" in left:
        (folder.path / left).touch()
    claim(folder, OmegaConf.create(CONFIG | {"seed": 2}), overrides=[], hydra=SETTINGS)
    assert load_run(folder.path).config.seed == 2
    folder.best_checkpoint.touch()
    with pytest.raises(ValueError, match="already holds a run"):
        claim(folder, OmegaConf.create(CONFIG), overrides=[], hydra=SETTINGS)


CLAIM = """
import os, sys
from pathlib import Path
from omegaconf import OmegaConf
from deblurlab.run.claim import claim
from deblurlab.run.run_folder import RunFolder
from tests.run.test_claim import CONFIG, SETTINGS

write = Path.write_text

def killed(file, text, encoding):
    write(file, text[:20] if "config.yaml" in file.name else text, encoding)
    if "config.yaml" in file.name:
        os.kill(os.getpid(), 9)

folder = RunFolder(Path("run"))
if sys.argv[1] == "resume":
    Path.write_text = killed
    claim(folder, OmegaConf.create(CONFIG | {"ckpt_path": "last"}), overrides=[], hydra=SETTINGS)
else:
    claim(folder, OmegaConf.create(CONFIG), overrides=[], hydra=SETTINGS)
    folder.checkpoints.mkdir()
    folder.last_checkpoint.touch()
"""


def test_a_kill_while_a_run_is_resumed_leaves_its_configuration(tmp_path: Path) -> None:
    """Killed by SIGKILL while config.yaml is half written."""
    search = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    for stage, status in (("start", 0), ("resume", -signal.SIGKILL)):
        done = subprocess.run(
            [sys.executable, "-c", CLAIM, stage],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": search},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stderr
    assert (tmp_path / "run/.hydra/.config.yaml.partial").exists()  # so it was killed where it should have been
    assert load_run(tmp_path / "run").config == with_defaults(CONFIG)


def test_one_folder_of_data_has_one_name_from_wherever_a_run_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "photos").mkdir()
    (tmp_path / "link").symlink_to("photos")
    monkeypatch.chdir(tmp_path / "project")
    assert absolute_root("../photos") == absolute_root(tmp_path / "photos") == str((tmp_path / "photos").resolve())
    assert absolute_root("photos") == str(tmp_path / "project/photos")
    assert absolute_root(tmp_path / "link") == str(tmp_path / "link")
    assert absolute_root("gs://bucket/../shards") == "gs://bucket/../shards"
