"""How a command starts and ends."""

import os
import sys
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from deblurlab.app.command import command


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, task, *overrides: str) -> None:
    """A command of its own with the configuration of ``export``, in this process."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["export", *overrides])
    try:
        command("export")(task)()
    finally:
        HydraConfig.instance().cfg = None


@pytest.mark.parametrize("before", [None, "0"])
def test_what_a_command_starts_does_not_inherit_how_hydra_is_told_to_raise_errors(
    before: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    if before is not None:
        monkeypatch.setenv("HYDRA_FULL_ERROR", before)
    seen: list[str | None] = []
    run(monkeypatch, tmp_path, lambda cfg: seen.append(os.environ.get("HYDRA_FULL_ERROR")))
    assert seen == [None]
    assert os.environ.get("HYDRA_FULL_ERROR") == before


def test_an_error_that_is_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hydra by itself would print a part of it and exit."""

    def buggy(cfg: DictConfig) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        run(monkeypatch, tmp_path, buggy)


def test_a_user_can_have_the_traceback_of_his_mistake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refusing(cfg: DictConfig) -> None:
        raise ValueError("not like this")

    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ValueError, match="not like this"):
        run(monkeypatch, tmp_path, refusing)
    monkeypatch.delenv("HYDRA_FULL_ERROR")
    with pytest.raises(SystemExit, match="error: not like this"):
        run(monkeypatch, tmp_path, refusing)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"},
            r"error: torchrun has started 2 processes, and export takes one: start it without torchrun\.",
        ),
        (
            {"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"},
            r"srun has started 4 processes, and export takes one: start it without srun, or with --ntasks 1\.",
        ),
        ({"WORLD_SIZE": "2", "RANK": "1"}, "but no LOCAL_RANK and no LOCAL_WORLD_SIZE"),
    ],
)
def test_a_command_that_does_not_train_takes_one_process(
    environment: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=message):
        run(monkeypatch, tmp_path, lambda cfg: None)


def test_an_error_of_a_resolver_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, tmp_path, lambda cfg: cfg.output, "output=${evaluation_folder:null,mine,null,null}")
    first, last = str(ended.value).splitlines()
    assert first == "error: weights=mine come without data: choose data=cifar10, data=folder, ..."
    assert last == "(HYDRA_FULL_ERROR=1 shows where.)"
