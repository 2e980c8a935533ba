"""A run that is killed at any moment whatsoever ends as if it had not been: its weights, its history, its scores.

Each case trains a tiny run once and copies its folder at every moment at which a process could be killed. Then it goes
on in each of the copies that differ.
"""

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.faults.resume_mixes import WARMUP_COSINE
from tests.faults.resume_points import BASE, EMA, UNET, WGAN, differences, distinct, end_of, go_on, train

WIENER = ("model=blind_wiener", "model.network.hidden=8", "model.network.widths=[8,16]")
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
    "moving average": EMA,
    "moving average without validation": (*EMA, "trainer.limit_val_batches=0"),
    "BlindWiener, scheduler of steps": (*WIENER, "trainer.gradient_clip_val=1.0", WARMUP_COSINE),
    "WGAN": WGAN,
    "WGAN with fresh batches": (*WGAN, "model.fresh_critic_batches=true", "model.critic_steps=3"),
    "earlier version": (*UNET, SCHEDULE, OLD),
    "earlier version, limits": (*UNET, "trainer.limit_train_batches=2", OLD),
    "earlier version, WGAN": (*WGAN, OLD),
    "earlier version, no validation": (*UNET, "trainer.check_val_every_n_epoch=2", OLD),
}


# The other cases are variants of these.
MAIN_CASES = ("autoencoder", "moving average", "BlindWiener, scheduler of steps", "WGAN", "earlier version")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*could not find the monitored key")
@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.parametrize(
    "case", [case if case in MAIN_CASES else pytest.param(case, marks=pytest.mark.exhaustive) for case in CASES]
)
def test_a_run_resumes_from_every_moment(case: str, tmp_path: Path, tiny_cifar10: Path) -> None:
    arguments = (*BASE, f"data.root={tiny_cifar10}", *CASES[case])
    old = OLD in arguments
    (tmp_path / "copies").mkdir()
    train(tmp_path, *arguments, "run=run")
    expected, moments, wrong = end_of(tmp_path / "run", old=old), 0, []
    for copy in distinct(tmp_path / "copies"):
        go_on(copy, tmp_path / "again", *arguments)
        if found := differences(expected, end_of(tmp_path / "again", old=old)):
            wrong.append((copy.name, found[:3]))
        moments += 1
    print(f"{case}: went on from {moments} moments")
    assert wrong == []
    assert moments > 5
