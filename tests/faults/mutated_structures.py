"""Checkpoints that are whole files of an odd structure: a run resumes from one, or it is refused by its name; as
``weights=`` one restores as the whole checkpoint does, or is refused by its name.
"""

import copy
import random
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from deblurlab.app import build
from deblurlab.restoring import load_restorer
from deblurlab.run.checkpoint import restoring
from deblurlab.run.run_folder import RunFolder
from tests.composing import configuration
from tests.faults.counting import Campaign

_ODD: tuple[Any, ...] = (None, "odd", "", -1, 10**30, 0.5, float("nan"), True, [], {}, (), [None], {"odd": "odd"})
_OURS = ("tests",)  # the package of the WGAN's small networks


def run(name: str, arguments: list[str], seed: int, cases: int, folder: Path) -> Campaign:
    """Resume from checkpoints of which an entry is missing, of another type, of another shape, or renamed.

    That a run ends counts as right: a state that an earlier version did not write may well be missing.

    Args:
        name: What is trained.
        arguments: The overrides of its training.
        seed: Seed of the changes.
        cases: Their number.
        folder: An empty folder.
    """
    campaign, draw = Campaign(f"odd checkpoints, {name}", seed), random.Random(seed)
    cfg, whole = _trained(arguments, folder)
    cfg.trainer.max_epochs = 3
    file = folder / "odd.ckpt"
    for number in range(cases):
        state, said = changed(whole, draw)
        torch.save(state, file)
        campaign.judge(lambda: _fit(cfg, file), f"case {number}: {said}", names=file.name)
    return campaign


def run_as_weights(name: str, arguments: list[str], seed: int, cases: int, folder: Path) -> Campaign:
    """Restore a picture with ``weights=`` such a checkpoint.

    Args:
        name: What is trained.
        arguments: The overrides of its training.
        seed: Seed of the changes.
        cases: Their number.
        folder: An empty folder.
    """
    campaign, draw = Campaign(f"odd checkpoints as weights, {name}", seed), random.Random(seed)
    cfg, whole = _trained(arguments, folder)
    run = RunFolder(folder / "run")
    run.config_file.parent.mkdir()
    OmegaConf.save(cfg, run.config_file, resolve=True)
    OmegaConf.save({"hydra": {"runtime": {"choices": {"model": "mine", "data": "mine"}}}}, run.hydra_file)
    picture = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = load_restorer(run.last_checkpoint, device="cpu", trust=_OURS).restore(picture)
    file = run.last_checkpoint.with_name("odd.ckpt")
    for number in range(cases):
        state, said = changed(whole, draw)
        torch.save(state, file)
        campaign.judge(
            lambda: torch.equal(load_restorer(file, device="cpu", trust=_OURS).restore(picture), expected),
            f"case {number}: {said}",
            names=file.name,
        )
    return campaign


def _trained(arguments: list[str], folder: Path) -> tuple[DictConfig, dict[str, Any]]:
    """A run of two epochs in ``folder``, and its last checkpoint."""
    few = [f"run={folder}/run", *arguments, "trainer.limit_train_batches=3", "trainer.limit_val_batches=1"]
    cfg = configuration("train", *few, "trainer.max_epochs=2", "callbacks.within_epoch.minutes=0")
    _fit(cfg, None)
    whole = torch.load(folder / "run/checkpoints/last.ckpt", weights_only=True)
    assert whole["epoch"] == 1
    return cfg, whole


def _fit(cfg: DictConfig, file: Path | None) -> bool:
    torch.manual_seed(0)
    data, task, trainer = build.data(cfg), build.task(cfg), build.trainer(cfg)
    with restoring(file):
        trainer.fit(task, datamodule=data, ckpt_path=file)
    return True


def changed(whole: dict[str, Any], draw: random.Random) -> tuple[dict[str, Any], str]:
    """A copy of a checkpoint with one to three random changes, and what they are."""
    state, said = copy.deepcopy(whole), []
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        place: tuple[Any, ...] = ()
        inner: Any = state
        while True:  # the way down ends at any depth
            key = draw.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
            place = (*place, key)
            below = inner[key]
            if not (isinstance(below, dict | list) and below) or draw.random() < 0.25:
                break
            inner = below
        said.append(f"{'.'.join(map(str, place))} {_change(inner, key, draw)}")
    return state, ", ".join(said)


def _change(inner: Any, key: Any, draw: random.Random) -> str:
    value = inner[key]
    kind = draw.choice(("gone", "odd", "odd", "renamed", "shape"))
    if kind == "gone":
        del inner[key]
        return "is gone"
    if kind == "renamed" and isinstance(inner, dict):
        new = draw.choice((f"{key}.odd", 7, None))
        inner[new] = inner.pop(key)
        return f"is called {new}"
    if kind == "shape" and isinstance(value, Tensor):
        inner[key] = draw.choice((value.flatten(), value[None], value.to(torch.complex64), torch.zeros(0)))
        return f"has shape {tuple(inner[key].shape)} and type {inner[key].dtype}"
    inner[key] = draw.choice((*_ODD, torch.zeros(3)))
    return f"is {str(inner[key])[:40]!r}"
