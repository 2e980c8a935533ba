"""A run that is killed at any moment whatsoever: it goes on in a copy of its folder, and ends as if it had not been."""

import csv
import hashlib
import importlib
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from hydra.core.hydra_config import HydraConfig

from tests.faults.counting import Campaign

# A tiny run that writes a checkpoint after each batch, and whose folder is copied whenever a process could be killed.
BASE = (
    "data=cifar10",
    "data.batch_size=8",
    "trainer=cpu",
    "trainer.precision=32-true",
    "trainer.max_epochs=2",
    "trainer.log_every_n_steps=1",
    "logger=none",
    "callbacks.panel=null",
    "callbacks.within_epoch.minutes=0",
    "callbacks.last._target_=tests.faults.LastCheckpoint",
    "+callbacks.snapshots={_target_: tests.faults.Snapshots, folder: '${run}'}",
)
UNET = ("model=unet16", "model.network.widths=[4,8]")
WGAN = (
    "model=rednet30_wgan",
    "model.network._target_=tests.tasks.test_wgan_gp.Generator",
    "~model.network.tanh",
    "model.critic._target_=tests.tasks.test_wgan_gp.Critic",
)
EMA = (*UNET, "callbacks=[default,ema]")
# What a checkpoint keeps of the training itself.
_KEPT = ("state_dict", "current_model_state", "optimizer_states", "lr_schedulers", "global_step", "epoch")
# After an epoch's last batch an earlier version's checkpoint knew neither its losses nor its rate any more.
_LOST = ("train/", "lr")


def run(
    name: str,
    arguments: Callable[[random.Random], Sequence[str]],
    seed: int,
    cases: int,
    folder: Path,
    *,
    points: int | None = None,
) -> Campaign:
    """Train runs with seeds from ``seed`` on, and resume each from many moments.

    Args:
        name: The kind of run.
        arguments: Draws the overrides of a run.
        seed: The first run's seed.
        cases: How many moments there are in all.
        folder: A folder to work in.
        points: From how many moments of each run to resume; None takes all that differ.
    """
    campaign = Campaign(f"{name}, resumed", seed)
    torch.set_num_threads(1)
    while campaign.counts.total() < cases:
        draw, here = random.Random(f"{name} {seed}"), folder / str(seed)
        (here / "copies").mkdir(parents=True)
        whole = (*BASE, *arguments(draw), f"seed={seed}")
        train(here, *whole, "run=run")
        expected, copies = end_of(here / "run"), list(distinct(here / "copies"))
        chosen = copies if points is None or points > len(copies) else draw.sample(copies, points)
        for copy in chosen[: cases - campaign.counts.total()]:

            def case(copy: Path = copy, here: Path = here, whole: tuple[str, ...] = whole) -> bool:
                go_on(copy, here / "again", *whole)
                return not differences(expected, end_of(here / "again"))  # noqa: B023

            campaign.judge(case, f"{copy.name} of {' '.join(whole[len(BASE) :])}")
        shutil.rmtree(here)
        seed += 1
    return campaign


def train(folder: Path, *overrides: str) -> None:
    """Run the command in this process, in ``folder``, without its curves, which take long, and its table."""
    argv = patch.object(sys, "argv", ["train", *overrides])
    with chdir(folder), argv, patch("deblurlab.run.figures.save"), redirect_stdout(StringIO()):
        try:
            importlib.import_module("deblurlab.train").main()
        finally:
            HydraConfig.instance().cfg = None  # Hydra leaves it to whatever comes next


def go_on(copy: Path, again: Path, *overrides: str) -> None:
    """Resume a copy of a run's folder, in ``again``, which is replaced."""
    shutil.rmtree(again, ignore_errors=True)
    shutil.copytree(copy, again)
    train(again.parent, *overrides, f"run={again.name}", "ckpt_path=last")


def distinct(copies: Path) -> Iterator[Path]:
    """The copies of a run's folder from which it can be resumed, each content once."""
    seen = set()
    for copy in sorted(copies.iterdir()):
        files = [*sorted((copy / "checkpoints").glob("*.ckpt")), *copy.glob("metrics.*")]
        content = hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in files)).hexdigest()
        if (copy / "checkpoints/last.ckpt").exists() and content not in seen:
            seen.add(content)
            yield copy


def end_of(run: Path, *, old: bool = False) -> dict[str, Any]:
    """What a run has come to, without the time that it took.

    Args:
        run: Its folder.
        old: Whether to leave out what a checkpoint of an earlier version could not hold.
    """
    state = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    lost = ("seconds", *_LOST) if old else ("seconds",)
    with (run / "metrics.csv").open(newline="") as stream:
        rows = [
            {name: cell for name, cell in row.items() if not name.startswith(lost)} for row in csv.DictReader(stream)
        ]
    texts = {name: (run / name).read_text() for name in ("metrics.json", "per_image.csv") if (run / name).exists()}
    best = [callback.get("best_model_score") for callback in state["callbacks"].values()]
    kept = {key: state[key] for key in _KEPT if key in state}
    return {"rows": rows, "texts": texts, "best": best, "state": kept}


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where nested mappings, lists and tensors differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = one.keys() | other.keys()
        return [text for key in keys for text in differences(one.get(key), other.get(key), f"{place}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [text for n, (left, right) in pairs for text in differences(left, right, f"{place}.{n}")]
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return [] if torch.equal(one, other) else [place]
    return [] if one == other else [f"{place}: {one} {other}"]
