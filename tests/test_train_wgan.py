"""A WGAN as a user trains it: interrupted, resumed, fine-tuned, evaluated."""

import csv
import json
import signal
from pathlib import Path

import pytest
import torch

from tests.conftest import Call, run_command

SMALL = (
    "model=rednet30_wgan",
    "model.network._target_=tests.tasks.test_wgan_gp.Generator",
    "~model.network.tanh",
    "model.critic._target_=tests.tasks.test_wgan_gp.Critic",
    "trainer=cpu",
    "trainer.precision=32-true",
    "data=cifar10",
    "data.batch_size=8",
)


def checkpoint(run: Path) -> dict:
    return torch.load(run / "checkpoints/last.ckpt", weights_only=True)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, tiny_cifar10: Path) -> Path:
    """Two epochs of four batches, 24 optimizer steps each."""
    folder = tmp_path_factory.mktemp("wgan")
    done = run_command(folder, "train", *SMALL, f"data.root={tiny_cifar10}", "trainer.max_epochs=2", "run=run")
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_a_checkpoint_holds_both_players_and_the_history_their_losses(uninterrupted: Path) -> None:
    state = checkpoint(uninterrupted)
    assert {name.split(".")[0] for name in state["state_dict"]} >= {"network", "critic"}
    assert len(state["optimizer_states"]) == 2
    with (uninterrupted / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["step"], row["batches"]) for row in rows] == [("1", "24", "4"), ("2", "48", "8")]
    scalars = ("loss", "content", "adversarial", "critic_loss", "penalty", "gap", "generator_norm", "critic_norm")
    assert all(float(row[f"train/{name}"]) for row in rows for name in scalars)


@pytest.mark.parametrize("within_epoch", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_killed_run_resumes_to_the_same_weights(
    within_epoch: bool, uninterrupted: Path, tiny_cifar10: Path, tmp_path: Path
) -> None:
    """Killed after batch 2 of the second epoch."""
    arguments = (*SMALL, f"data.root={tiny_cifar10}", "trainer.max_epochs=2", "run=run")
    if within_epoch:
        arguments += ("callbacks.within_epoch.minutes=0",)
    killed = run_command(
        tmp_path, "train", *arguments, "+callbacks.kill={_target_: tests.faults.SignalAt, step: 36, number: 9}"
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert checkpoint(tmp_path / "run")["global_step"] == (30 if within_epoch else 24)
    resumed = run_command(tmp_path, "train", *arguments, "ckpt_path=last", "+callbacks.kill=null")
    assert resumed.returncode == 0, resumed.stderr
    expected, actual = (checkpoint(run)["state_dict"] for run in (uninterrupted, tmp_path / "run"))
    assert expected.keys() == actual.keys()
    assert all(torch.equal(expected[name], actual[name]) for name in expected)


def test_evaluate_rebuilds_a_wgan(uninterrupted: Path, call: Call) -> None:
    call("evaluate", f"run={uninterrupted}", "trust=[tests]", "trainer.precision=32-true")
    results = [
        json.loads((uninterrupted / name).read_text()) for name in ("metrics.json", "evaluate/cifar10/metrics.json")
    ]
    assert results[0] == results[1]


def test_a_generator_starts_from_another_run_s_weights(
    uninterrupted: Path, call: Call, tmp_path: Path, tiny_cifar10: Path
) -> None:
    start = uninterrupted / "checkpoints/last.ckpt"
    still = ("model.optimizer.lr=0", "trainer.max_epochs=1", "trainer.limit_train_batches=1")
    call("train", *SMALL, f"data.root={tiny_cifar10}", *still, f"weights={start}", "run=run")
    before, after = checkpoint(uninterrupted)["state_dict"], checkpoint(tmp_path / "run")["state_dict"]
    weights = [name for name in before if name.startswith("network.") and "running" not in name and "num" not in name]
    assert weights
    assert all(torch.equal(before[name], after[name]) for name in weights)
    critic = "critic.conv.weight"
    assert not torch.equal(before[critic], after[critic])


def test_any_network_can_be_the_generator(call: Call, tmp_path: Path, tiny_cifar10: Path) -> None:
    page = (Path(__file__).parents[1] / "docs/training.md").read_text()
    told = "model=rednet30_wgan '~model.network.tanh' model.network._target_=deblurlab.nets.UNet16"
    assert told in page
    few = ("trainer=cpu", "trainer.max_epochs=1", "trainer.limit_train_batches=1", "data.batch_size=2")
    data = ("data=cifar10", f"data.root={tiny_cifar10}")
    call("train", *told.replace("'", "").split(), *data, *few, "model.network.widths=[4,8]", "run=run")
    assert (tmp_path / "run/metrics.json").is_file()


def test_weights_of_another_network_are_refused(uninterrupted: Path, call: Call, tiny_cifar10: Path) -> None:
    start = uninterrupted / "checkpoints/last.ckpt"
    with pytest.raises(SystemExit, match=r"the weights are of another network: branches\."):
        call("train", "model=msdeblur_wgan", "model.network.blocks=0", f"weights={start}", "run=run")
