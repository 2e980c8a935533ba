"""The WGAN's batch, six optimizer steps, on eight virtual devices against one CPU."""

import csv
import json
from pathlib import Path

import pytest
import torch

from tests.backends.xla.test_training import XLA, deblurlab

pytest.importorskip("torch_xla", reason="torch_xla is not installed")
pytestmark = pytest.mark.slow

SMALL = (
    "model=msdeblur_wgan",
    "model.network._target_=tests.tasks.test_wgan_gp.Generator",
    "~model.network.blocks",
    "~model.network.quarter",
    "model.critic._target_=tests.tasks.test_wgan_gp.Critic",
)
STUDYS = ("model=msdeblur_wgan", "model.network.blocks=0")  # what is left: first and last convolutions, upsampling
# Adam divides by the size of a gradient: where the gradient is rounding noise, the step is noise, too. On one CPU,
# the critic's loss in float32 differs from that in float64 by 1e-3 after two batches. Plain gradient descent shows
# what the devices compute.
DESCENT = tuple(
    f"{change}"
    for player in ("optimizer", "critic_optimizer")
    for change in (
        f"model.{player}._target_=torch.optim.SGD",
        f"model.{player}.lr=1e-4",
        f"~model.{player}.betas",
    )
)


def train(folder: Path, root: Path, *overrides: str) -> Path:
    settings = ("data=cifar10", f"data.root={root}", "data.batch_size=8", "trainer.precision=32-true")
    short = ("trainer.max_epochs=5", "trainer.log_every_n_steps=2", f"run={folder}")
    done = deblurlab("train", *settings, *short, *overrides, timeout=1500)
    assert done.returncode == 0, done.stderr
    return folder


def scalars(folder: Path) -> dict[int, dict[str, float]]:
    """What was logged, by step: the values of one batch in two."""
    with (folder / "steps/version_0/metrics.csv").open() as file:
        rows = [{name: value for name, value in row.items() if value} for row in csv.DictReader(file)]
    return {
        int(row["step"]): {name: float(value) for name, value in row.items() if name.endswith("_step")}
        for row in rows
        if "train/loss_step" in row
    }


def agree(ours: Path, reference: Path, names: set[str], *, rows: int = 10) -> None:
    expected = scalars(reference)
    assert list(scalars(ours)) == list(expected)
    assert len(expected) == rows
    for step, logged in scalars(ours).items():
        for name in names:
            # The critic's mean scores cancel each other; the absolute tolerance is 1e-4 of a single score, about 0.1.
            tolerance = pytest.approx(expected[step][f"train/{name}_step"], rel=1e-4, abs=1e-5)
            assert logged[f"train/{name}_step"] == tolerance, (step, name)


EVERYTHING = {"loss", "content", "adversarial", "critic_loss", "penalty", "gap", "generator_norm", "critic_norm"}


@pytest.fixture(scope="module")
def on_cpu(tiny_cifar10: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("cpu") / "run", tiny_cifar10, *SMALL, *DESCENT, "trainer=cpu")


@pytest.mark.parametrize("graph", ["batch", "step"])
def test_eight_devices_train_like_one_and_compile_once(
    graph: str, on_cpu: Path, tiny_cifar10: Path, tmp_path: Path
) -> None:
    probe = "+callbacks.probe={_target_: tests.backends.xla.probe.Probe, file: %s}" % (tmp_path / "probe.jsonl")
    folder = train(tmp_path / "run", tiny_cifar10, *SMALL, *DESCENT, *XLA, f"trainer.graph={graph}", probe)
    agree(folder, on_cpu, EVERYTHING)
    rows = [json.loads(line) for line in (tmp_path / "probe.jsonl").read_text().splitlines()]
    later = {row["graphs"] for row in rows if row["epoch"] > 0}
    assert len(later) == 1, "something compiled after the first epoch"
    assert rows[-1]["fallbacks"] == {}
    starts, ends = ([row["graphs"] for row in rows[:4] if row["when"] == when] for when in ("start", "end"))
    # The first batch starts the sums of the logged values, later ones add to them: these graphs differ.
    assert ends[1] - starts[0] <= (3 if graph == "batch" else 7)


def test_options_train_on_eight_devices_as_on_one(tiny_cifar10: Path, tmp_path: Path) -> None:
    """Clipped gradients, batches in parts, fresh batches for the critic, rotations, and rates that change each step."""
    schedule = "_target_: deblurlab.tasks.schedules.warmup_cosine, _partial_: true, warmup: 0.1, final: 0.1"
    options = ("data.batch_size=16", "data.rotations=true", "model.micro_batches=2", "model.clip_norm=0.02")
    options += ("model.fresh_critic_batches=true", "model.critic_steps=1", f"model.step_scheduler={{{schedule}}}")
    probe = "+callbacks.probe={_target_: tests.backends.xla.probe.Probe, file: %s}" % (tmp_path / "probe.jsonl")
    settings = (tiny_cifar10, *SMALL, *DESCENT, *options, "trainer.log_every_n_steps=1")
    reference = train(tmp_path / "cpu", *settings, "trainer=cpu")
    ours = train(tmp_path / "xla_cpu", *settings, *XLA, probe)
    agree(ours, reference, EVERYTHING)
    assert all(logged["train/critic_norm_step"] > 0.02 for logged in scalars(ours).values()), "not all was clipped"
    rows = [json.loads(line) for line in (tmp_path / "probe.jsonl").read_text().splitlines()]
    assert len({row["graphs"] for row in rows if row["epoch"] > 0}) == 1, "something compiled after the first epoch"


def test_five_critic_steps_to_one_with_the_study_s_optimizers(tiny_cifar10: Path, tmp_path: Path) -> None:
    """With the study's critic and Adam, the restored images agree, and Adam has counted its steps."""
    short = ("trainer.max_epochs=2", "trainer.limit_train_batches=2")  # a batch takes most of a minute on XLA's devices
    folders = [train(tmp_path / one, tiny_cifar10, *STUDYS, *short, f"trainer={one}") for one in ("cpu", "xla_cpu")]
    agree(folders[1], folders[0], {"content"}, rows=2)
    first, expected = (next(iter(scalars(folder).values())) for folder in reversed(folders))
    for name in ("critic_loss", "penalty", "gap"):  # after few steps Adam has not yet magnified rounding errors
        assert first[f"train/{name}_step"] == pytest.approx(expected[f"train/{name}_step"], rel=1e-2), name
    for folder in folders:
        checkpoint = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)
        steps = [{int(one["step"]) for one in player["state"].values()} for player in checkpoint["optimizer_states"]]
        assert steps == [{4}, {20}]
