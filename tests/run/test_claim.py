"""The configuration in a run's folder: written whole or not at all, and kept as the command line said it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from omegaconf import OmegaConf

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


CLAIM = """
import os, sys
from pathlib import Path
from omegaconf import OmegaConf
from deblurlab.run.claim import claim
from deblurlab.run.run_folder import RunFolder
from tests.run.test_claim import CONFIG, SETTINGS

save = OmegaConf.save

def killed(content, file):
    save(content, file)
    if "config.yaml" in Path(file).name:
        Path(file).write_bytes(Path(file).read_bytes()[:20])
        os.kill(os.getpid(), 9)

folder = RunFolder(Path("run"))
if sys.argv[1] == "resume":
    OmegaConf.save = killed
    claim(folder, OmegaConf.create(CONFIG | {"ckpt_path": "last"}), overrides=[], hydra=SETTINGS)
else:
    claim(folder, OmegaConf.create(CONFIG), overrides=[], hydra=SETTINGS)
    folder.checkpoints.mkdir()
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
