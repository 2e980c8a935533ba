"""A run that is killed at any moment whatsoever ends as if it had not been: its weights, its history, its scores.

Each case trains a tiny run once and copies its folder at every moment at which a process could be killed. Then it goes
on in each of the copies that differ.
"""

import csv
import hashlib
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.conftest import Call

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
SCHEDULE = (
    "model.scheduler={_target_: deblurlab.tasks.schedules.constant_then_exponential, _partial_: true, "
    "constant_epochs: 1, gamma: 0.5}"
)
OLD = "callbacks.within_epoch._target_=tests.faults.OldTimedCheckpoint"


class Dropout(nn.Module):
    """Its training draws random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.dropout = nn.Conv2d(3, 3, 3, padding=1), nn.Dropout(0.5)

    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = blurred + self.conv(self.dropout(blurred))
        return result


CASES: dict[str, tuple[str, ...]] = {
    "autoencoder": UNET,
    "scheduler and clipping": (*UNET, SCHEDULE, "trainer.gradient_clip_val=0.01"),
    "limits": (*UNET, *(f"trainer.limit_{stage}_batches=2" for stage in ("train", "val", "test"))),
    "validation within epochs": (*UNET, "trainer.val_check_interval=0.6"),
    "validation in some epochs": (*UNET, "trainer.check_val_every_n_epoch=2"),
    "accumulation": (*UNET, "trainer.accumulate_grad_batches=3"),
    "dropout": ("model=unet16", "model.network={_target_: tests.test_resume_everywhere.Dropout}"),
    "bfloat16": (*UNET, "trainer.precision=bf16-mixed"),
    "fixed blur": (*UNET, "data.fixed_blur=true", "data.workers=1"),
    "moving average": (*UNET, "callbacks=[default,ema]"),
    "moving average without validation": (*UNET, "callbacks=[default,ema]", "trainer.limit_val_batches=0"),
    "WGAN": WGAN,
    "WGAN with fresh batches": (*WGAN, "model.fresh_critic_batches=true", "model.critic_steps=3"),
    "earlier version": (*UNET, SCHEDULE, OLD),
    "earlier version, limits": (*UNET, "trainer.limit_train_batches=2", OLD),
    "earlier version, WGAN": (*WGAN, OLD),
    "earlier version, no validation": (*UNET, "trainer.check_val_every_n_epoch=2", OLD),
}
# After an epoch's last batch an earlier version's checkpoint knew neither its losses nor its rate any more.
LOST = ("train/", "lr")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _end(run: Path) -> dict[str, object]:
    """What a run has come to, without the time that it took."""
    state = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    with (run / "metrics.csv").open(newline="") as stream:
        rows = [{name: cell for name, cell in row.items() if name != "seconds"} for row in csv.DictReader(stream)]
    texts = {name: (run / name).read_text() for name in ("metrics.json", "per_image.csv") if (run / name).exists()}
    best = [callback.get("best_model_score") for callback in state["callbacks"].values()]
    return {"rows": rows, "texts": texts, "best": best, "state": state}


def _differences(one: dict[str, object], other: dict[str, object], place: str = "") -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = one.keys() | other.keys()
        return [text for key in keys for text in _differences(one.get(key), other.get(key), f"{place}.{key}")]  # type: ignore[arg-type]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [text for n, (left, right) in pairs for text in _differences(left, right, f"{place}.{n}")]
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return [] if torch.equal(one, other) else [place]
    return [] if one == other else [f"{place}: {one} {other}"]


def _compared(end: dict[str, object], lost: bool) -> dict[str, object]:
    state = end["state"]
    assert isinstance(state, dict)
    rows = end["rows"]
    assert isinstance(rows, list)
    if lost:
        rows = [{name: cell for name, cell in row.items() if not name.startswith(LOST)} for row in rows]
    kept = ("state_dict", "current_model_state", "optimizer_states", "lr_schedulers", "global_step", "epoch")
    return end | {"rows": rows, "state": {key: state[key] for key in kept if key in state}}


def _content(run: Path) -> str:
    files = [*sorted((run / "checkpoints").glob("*.ckpt")), *run.glob("metrics.*")]
    return hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in files)).hexdigest()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*could not find the monitored key")
@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.parametrize("case", CASES)
def test_a_run_resumes_from_every_moment(case: str, call: Call, tmp_path: Path, tiny_cifar10: Path) -> None:
    arguments = (*BASE, f"data.root={tiny_cifar10}", *CASES[case])
    (tmp_path / "copies").mkdir()
    call("train", *arguments, "run=run")
    expected = _compared(_end(tmp_path / "run"), OLD in arguments)
    seen, wrong = set(), []
    for copy in sorted((tmp_path / "copies").iterdir()):
        if (content := _content(copy)) in seen or not (copy / "checkpoints/last.ckpt").exists():
            continue
        seen.add(content)
        shutil.rmtree(tmp_path / "again", ignore_errors=True)
        shutil.copytree(copy, tmp_path / "again")
        call("train", *arguments, "run=again", "ckpt_path=last")
        actual = _compared(_end(tmp_path / "again"), OLD in arguments)
        if found := _differences(expected, actual):
            wrong.append((copy.name, found[:3]))
    print(f"{case}: went on from {len(seen)} moments")
    assert wrong == []
    assert len(seen) > 5
