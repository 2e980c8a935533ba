"""Schedules of steps, gradient clipping and parts of batches, for autoencoders and WGANs."""

import functools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader

from deblurlab.interfaces import Pair
from deblurlab.losses import LogCosh
from deblurlab.tasks import Autoencoder
from deblurlab.tasks.schedules import warmup_cosine
from tests.tasks.test_wgan_gp import Batches, fit, make

pytestmark = [
    pytest.mark.filterwarnings("ignore:You defined a `validation_step` but have no `val_dataloader`"),
    pytest.mark.filterwarnings("ignore:The '.*_dataloader' does not have many workers"),
    pytest.mark.filterwarnings("ignore:The number of training batches"),
]
COSINE = functools.partial(warmup_cosine, warmup=0.25, final=0.1)


def optimizer(lr: float = 2.0) -> torch.optim.SGD:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)


def test_the_rate_rises_and_falls_as_written() -> None:
    sgd, rates = optimizer(), []
    schedule = warmup_cosine(sgd, total_steps=13, warmup=0.25, final=0.1)
    for _ in range(15):
        rates.append(sgd.param_groups[0]["lr"] / 2)
        sgd.step()
        schedule.step()
    falling = [0.1 + 0.9 * (1 + math.cos(math.pi * step / 9)) / 2 for step in range(10)]
    assert rates == pytest.approx([1 / 3, 2 / 3, 1.0, *falling, 0.1, 0.1])
    with pytest.raises(ValueError, match=r"warmup is a share of the training, in \[0, 1\), got 5"):
        warmup_cosine(sgd, total_steps=13, warmup=5, final=0.1)


class Rated(Autoencoder):
    """Keeps the rate of every step."""

    def on_train_batch_start(self, batch: Pair, batch_idx: int) -> None:
        self.__dict__.setdefault("rates", []).append(self.optimizers().param_groups[0]["lr"])


def autoencoder(**options: Any) -> Rated:
    torch.manual_seed(0)
    sgd = functools.partial(torch.optim.SGD, lr=1.0)
    return Rated(network=nn.Conv2d(3, 3, 3, padding=1), loss=LogCosh(), optimizer=sgd, **options)


def train(task: Autoencoder, *, ckpt_path: Path | None = None, batches: int = 4, **options: Any) -> Trainer:
    quiet = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False)
    settings = {"max_epochs": 3, "accelerator": "cpu", "precision": "32-true"} | options
    trainer = Trainer(**(quiet | settings))
    trainer.fit(task, DataLoader(Batches(batches, torch.float32), batch_size=None), ckpt_path=ckpt_path)
    return trainer


def rates(total: int, schedule: Any = COSINE) -> list[float]:
    sgd = optimizer(1.0)
    made, found = schedule(sgd, total_steps=total), []
    for _ in range(total):
        found.append(sgd.param_groups[0]["lr"])
        sgd.step()
        made.step()
    return found


@pytest.mark.parametrize("schedule", [COSINE, functools.partial(OneCycleLR, max_lr=1.0)])
def test_a_step_schedule_knows_the_length_of_the_training(schedule: Any) -> None:
    task = autoencoder(step_scheduler=schedule)
    train(task)
    assert task.rates == pytest.approx(rates(12, schedule))


def test_accumulated_gradients_make_fewer_steps() -> None:
    """Two batches to a step: the schedule has half as many, and two batches have one rate."""
    task = autoencoder(step_scheduler=COSINE)
    train(task, accumulate_grad_batches=2)
    assert task.rates == pytest.approx([rate for rate in rates(6) for _ in range(2)])


@pytest.mark.filterwarnings(
    "ignore:The `LightningModule.*in the middle|You're resuming from a checkpoint that ended before"
)
def test_a_schedule_resumes_where_it_stood(tmp_path: Path) -> None:
    whole, first, second = (autoencoder(step_scheduler=COSINE) for _ in range(3))
    train(whole)
    trainer = Trainer(
        max_epochs=3,
        max_steps=-1,
        accelerator="cpu",
        precision="32-true",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        limit_train_batches=4,
    )
    first.on_train_epoch_end = lambda: trainer.save_checkpoint(tmp_path / f"{trainer.current_epoch}.ckpt")  # type: ignore[method-assign]
    trainer.fit(first, DataLoader(Batches(4, torch.float32), batch_size=None))
    train(second, ckpt_path=tmp_path / "1.ckpt")
    assert second.rates == pytest.approx(whole.rates[8:])
    for ours, theirs in zip(second.parameters(), whole.parameters(), strict=True):
        assert torch.equal(ours, theirs)


class Counted:
    """Four batches, of which a resumed iteration leaves out those that were given before."""

    def __init__(self) -> None:
        self.given, self.batches = 0, list(DataLoader(Batches(4, torch.float32), batch_size=None))

    def __len__(self) -> int:
        return 4

    def __iter__(self) -> Iterator[Pair]:
        start, self.given = self.given % 4, self.given % 4
        for batch in self.batches[start:]:
            self.given += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        return {"given": self.given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.given = state["given"]


@pytest.mark.filterwarnings("ignore:The `LightningModule.*in the middle")
def test_an_epoch_resumes_at_its_next_batch_with_a_schedule_of_steps(tmp_path: Path) -> None:
    """Lightning makes the loaders to count the steps, before it knows where a resumed epoch stands."""
    quiet = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False)
    first, second = autoencoder(step_scheduler=COSINE), autoencoder(step_scheduler=COSINE)
    trainer = Trainer(max_epochs=2, accelerator="cpu", **quiet)

    def save(outputs: Any, batch: Pair, batch_idx: int) -> None:
        if (trainer.current_epoch, batch_idx) == (1, 1):
            trainer.save_checkpoint(tmp_path / "middle.ckpt")

    first.on_train_batch_end = save  # type: ignore[method-assign]
    trainer.fit(first, Counted())
    Trainer(max_epochs=2, accelerator="cpu", **quiet).fit(second, Counted(), ckpt_path=tmp_path / "middle.ckpt")
    assert len(second.rates) == 2
    for ours, theirs in zip(second.parameters(), first.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_both_kinds_of_schedule_or_no_known_end_are_refused() -> None:
    with pytest.raises(ValueError, match="leave one out"):
        autoencoder(scheduler=COSINE, step_scheduler=COSINE)
    with pytest.raises(ValueError, match=r"set trainer\.max_epochs or trainer\.max_steps"):
        train(autoencoder(step_scheduler=COSINE), max_epochs=-1)
    with pytest.raises(ValueError, match="It takes the optimizer and total_steps"):
        train(autoencoder(step_scheduler=torch.optim.lr_scheduler.LinearLR))


def test_both_players_of_a_wgan_follow_the_schedule_of_batches() -> None:
    task, seen = make(step_scheduler=COSINE), []
    step = task.generator_step
    task.generator_step = lambda *arguments: (  # type: ignore[method-assign]
        seen.append([one.param_groups[0]["lr"] for one in task.optimizers()]) or step(*arguments)
    )
    fit(task, Batches(4), max_epochs=2)
    assert seen == [pytest.approx([1e-2 * rate] * 2) for rate in rates(8)]


def test_a_wgan_s_gradients_are_clipped() -> None:
    """Plain gradient descent at a rate of 1 moves each player by no more than the limit in each of its steps."""
    sgd = functools.partial(torch.optim.SGD, lr=1.0)
    for limit in (1e-3, None):
        task = make(clip_norm=limit, optimizer=sgd, critic_optimizer=sgd, penalty_weight=1.0, adversarial_weight=1.0)
        task.double()
        before = {name: value.detach().clone() for name, value in task.named_parameters()}
        fit(task, Batches(1))
        for player, steps in (("network", 1), ("critic", 5)):
            moved = (
                torch.stack(
                    [
                        (value.detach() - before[name]).square().sum()
                        for name, value in task.named_parameters()
                        if name.startswith(player)
                    ]
                )
                .sum()
                .sqrt()
            )
            assert (float(moved) <= steps * 1e-3 * 1.001) == (limit is not None)


class Plain(nn.Module):
    """A generator without batch normalisation, which would see each part by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, blurred: torch.Tensor) -> list[torch.Tensor]:
        full = torch.sigmoid(self.conv(blurred))
        return [full, nn.functional.avg_pool2d(full, 2)]


@pytest.mark.parametrize("parts", [2, 4])
def test_parts_of_a_batch_make_the_steps_of_the_whole(parts: int) -> None:
    tasks = []
    for micro_batches in (1, parts):
        torch.manual_seed(0)
        tasks.append(make(network=Plain(), micro_batches=micro_batches))
        fit(tasks[-1], Batches(3))
    for (name, ours), theirs in zip(tasks[1].named_parameters(), tasks[0].parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11, msg=name)


def test_a_batch_is_cut_to_equal_parts_only() -> None:
    with pytest.raises(ValueError, match=r"model\.micro_batches=3 does not divide a batch of 4"):
        fit(make(micro_batches=3), Batches(1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"micro_batches": 0}, r"model\.micro_batches must be a whole number from 1, got 0"),
        ({"critic_steps": 0}, r"model\.critic_steps must be a whole number from 1, got 0"),
        ({"clip_norm": 0}, r"model\.clip_norm must be a positive number, or null for no clipping, got 0"),
        ({"clip_norm": -1.0}, r"model\.clip_norm must be .* got -1\.0"),  # it would climb the loss
        ({"clip_norm": float("nan")}, r"model\.clip_norm must be .* got nan"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**settings)
