"""A run to be tampered with, and commands that have to refuse it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from tests.conftest import Call, run_command

SMALL = (
    "model=unet16",
    "model.network.widths=[4,8]",
    "data=cifar10",
    "data.batch_size=8",
    "trainer=cpu",
    "logger=none",
)


def arguments(root: Path, epochs: int) -> tuple[str, ...]:
    few = ("trainer.limit_train_batches=2", "callbacks.panel=null", "trainer.precision=32-true")
    return (*SMALL, f"data.root={root}", f"trainer.max_epochs={epochs}", *few)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_cifar10: Path) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    done = run_command(folder, "train", *arguments(tiny_cifar10, 1), "run=run")
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A run of one epoch, to be tampered with."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    folder = tmp_path / "victim"
    folder.mkdir()
    (folder / "thesis.ckpt").write_text("years of work")
    return folder


@pytest.fixture
def refused(call: Call) -> Callable[..., str]:
    """Run a command that must end in one line, and return it."""

    def refuse(name: str, *overrides: str) -> str:
        with pytest.raises(SystemExit) as ended:
            call(name, *overrides)
        message, _, hint = str(ended.value).partition("\n")
        assert hint == "(HYDRA_FULL_ERROR=1 shows where.)"
        return message

    return refuse


def set_config(run: Path, key: str, value: Any) -> None:
    config = OmegaConf.load(run / ".hydra/config.yaml")
    OmegaConf.update(config, key, value, force_add=True, merge=False)
    OmegaConf.save(config, run / ".hydra/config.yaml")
