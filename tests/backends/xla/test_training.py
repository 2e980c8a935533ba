"""trainer=xla_cpu against trainer=cpu, through the real commands."""

import csv
import json
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.backends.xla.processes import run_module
from tests.conftest import HANG_SECONDS

pytest.importorskip("torch_xla", reason="torch_xla is not installed")

TINY = ("data=cifar10", "data.batch_size=8", "model=unet16", "model.network.widths=[4,8]", "trainer.precision=32-true")
XLA = ("trainer=xla_cpu",)


def deblurlab(command: str, *overrides: str, timeout: float = HANG_SECONDS) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, because a process has one XLA runtime."""
    return run_module(f"deblurlab.{command}", *overrides, timeout=timeout)


def train(folder: Path, *overrides: str) -> Path:
    done = deblurlab("train", *TINY, f"run={folder}", *overrides)
    assert done.returncode == 0, done.stderr
    (folder / "stderr.txt").write_text(done.stderr)
    return folder


def losses(folder: Path, version: int = 0) -> dict[int, float]:
    with (folder / "steps" / f"version_{version}" / "metrics.csv").open() as file:
        return {
            int(row["step"]): float(row["train/loss_step"]) for row in csv.DictReader(file) if row["train/loss_step"]
        }


def scores(file: Path) -> dict[str, dict[str, float]]:
    return {version: json.loads(file.read_text())[version] for version in ("restored", "blurred")}


def agree(some: Path, others: Path, tolerance: float) -> None:
    some_scores, other_scores = scores(some), scores(others)
    for version, expected in other_scores.items():
        assert some_scores[version] == pytest.approx(expected, rel=tolerance)


@pytest.fixture(scope="module")
def settings(tiny_cifar10: Path) -> tuple[str, ...]:
    return (f"data.root={tiny_cifar10}", "trainer.max_epochs=5", "trainer.log_every_n_steps=2")


@pytest.fixture(scope="module")
def on_cpu(settings: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the CPU, with a checkpoint of its third epoch beside its folder."""
    folder = tmp_path_factory.mktemp("cpu")
    keep = "_target_: lightning.pytorch.callbacks.ModelCheckpoint, every_n_epochs: 3, filename: third"
    third = f"+callbacks.third={{{keep}, dirpath: {folder}, save_on_train_epoch_end: true}}"
    return train(folder / "run", "trainer=cpu", *settings, third)


@pytest.fixture(scope="module")
def on_xla(settings: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("xla") / "run"
    probe = "+callbacks.probe={_target_: tests.backends.xla.probe.Probe, file: %s}" % (folder / "probe.jsonl")
    return train(folder, *XLA, *settings, probe)


def test_eight_devices_train_like_one(on_cpu: Path, on_xla: Path) -> None:
    ours, reference = losses(on_xla), losses(on_cpu)
    assert list(ours) == list(reference)
    assert max(ours) == 19  # 5 epochs of 4 steps
    assert ours == pytest.approx(reference, rel=1e-4)


def test_scores_equal_the_cpus(on_cpu: Path, on_xla: Path) -> None:
    """10 test images make a batch of 8 and one of 2, filled up to 8."""
    agree(on_xla / "metrics.json", on_cpu / "metrics.json", 1e-3)


def test_the_run_folder_is_the_cpus(on_cpu: Path, on_xla: Path) -> None:
    def files(folder: Path) -> set[str]:
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    assert files(on_xla) - {"probe.jsonl"} == files(on_cpu)


def test_the_checkpoint_evaluates_on_the_cpu(on_xla: Path, tmp_path: Path) -> None:
    run, exactly = f"run={on_xla}", ("trainer=cpu", "trainer.precision=32-true")
    done = deblurlab("evaluate", run, "trust=[tests]", *exactly, f"output={tmp_path / 'evaluation'}")
    assert done.returncode == 0, done.stderr
    agree(tmp_path / "evaluation" / "metrics.json", on_xla / "metrics.json", 1e-3)


def test_nothing_compiles_after_the_first_epoch(on_xla: Path) -> None:
    rows = [json.loads(line) for line in (on_xla / "probe.jsonl").read_text().splitlines()]
    later = [row["graphs"] for row in rows if row["epoch"] > 0]
    assert later[0] > 0
    assert set(later) == {later[0]}
    assert rows[-1]["fallbacks"] == {}
    report = (on_xla / "run.log").read_text()
    assert f"XLA compiled {later[0]} graphs" in report
    assert "more graphs" not in report


def test_steps_that_do_not_log_read_nothing_from_the_devices(on_xla: Path) -> None:
    rows = [json.loads(line) for line in (on_xla / "probe.jsonl").read_text().splitlines()]
    steps = {row["step"]: row["transfers"] for row in rows if row["when"] == "end"}
    starts = {row["step"]: row["transfers"] for row in rows if row["when"] == "start"}
    for step in range(1, 20):
        looks = step % 2 == 0  # a step that logs reads its loss, to see whether the run diverges
        assert steps[step] - starts[step - 1] == looks, "a training step read from the devices"
        if step % 2 and step % 4:
            assert starts[step] == steps[step], "a step that does not log read from the devices"
    assert starts[2] > steps[2], "a step that logs reads its loss"


def test_a_cpu_run_goes_on_under_xla(on_cpu: Path, settings: tuple[str, ...], tmp_path: Path) -> None:
    longer = train(tmp_path / "longer", *XLA, *settings, f"ckpt_path={on_cpu.with_name('third.ckpt')}")
    resumed, reference = losses(longer), losses(on_cpu)
    assert list(resumed) == [13, 15, 17, 19]
    assert resumed == pytest.approx({step: reference[step] for step in resumed}, rel=1e-4)
    assert np.isfinite(list(resumed.values())).all()


@pytest.mark.slow
def test_killed_in_an_epoch_it_goes_on_at_the_same_step(
    on_xla: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    folder, each_step = (
        tmp_path / "run",
        ("callbacks.last.every_n_epochs=null", "callbacks.last.every_n_train_steps=1"),
    )
    kill = (
        "+callbacks.kill={_target_: tests.faults.SignalAt, step: 10, number: 9}"  # the second of epoch 2's four steps
    )
    arguments = (*TINY, *XLA, *settings, *each_step, "callbacks.last.save_on_train_epoch_end=false", f"run={folder}")
    killed = deblurlab("train", *arguments, kill)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    train(folder, *XLA, *settings, f"ckpt_path={folder / 'checkpoints' / 'last.ckpt'}", "+callbacks.kill=null")
    joined = losses(folder, 0) | losses(folder, 1)
    assert min(losses(folder, 1)) == 9, "it did not go on from the last step that was saved"
    assert joined == pytest.approx(losses(on_xla), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "epochs", "batches"),
    [
        (("model=unet16",), 5, 4),
        # a step of it takes most of a minute: XLA compiles quickly here, not well
        pytest.param(("model=rednet30",), 1, 2, marks=pytest.mark.exhaustive),
        pytest.param(("model=nafnet",), 5, 4, marks=pytest.mark.exhaustive),
        (("model=blind_wiener",), 2, 4),
        # at its own rate its losses depend on the order of sums
        pytest.param(("model=resnet16", "model.optimizer.lr=1e-5"), 5, 4, marks=pytest.mark.exhaustive),
    ],
    ids=str,
)
def test_eight_devices_agree_with_one_step_by_step(
    model: tuple[str, ...], epochs: int, batches: int, settings: tuple[str, ...], tmp_path: Path
) -> None:
    """The loss of a step shows the gradients of all steps before it, which the devices share."""
    short = ("data=cifar10", *model, *settings, f"trainer.max_epochs={epochs}", "data.batch_size=8")
    short += (f"trainer.limit_train_batches={batches}", "trainer.log_every_n_steps=1")
    short += ("trainer.precision=32-true", "trainer.limit_val_batches=1", "trainer.limit_test_batches=1")
    found = []
    for trainer in ("cpu", "xla_cpu"):
        done = deblurlab("train", *short, f"trainer={trainer}", f"run={tmp_path / trainer}", timeout=1800)
        assert done.returncode == 0, done.stderr
        found.append(losses(tmp_path / trainer))
    assert max(found[0]) == batches * epochs - 1
    assert found[1] == pytest.approx(found[0], rel=1e-4)


@pytest.mark.slow
def test_a_resumed_run_draws_the_same_random_numbers(settings: tuple[str, ...], tmp_path: Path) -> None:
    noisy = (*XLA, *settings, "~model.network.widths", "model.network._target_=tests.backends.xla.noisy.Noisy")
    keep = "_target_: lightning.pytorch.callbacks.ModelCheckpoint, every_n_epochs: 3, filename: third"
    third = f"+callbacks.third={{{keep}, dirpath: {tmp_path}, save_on_train_epoch_end: true}}"
    whole = losses(train(tmp_path / "whole", *noisy, third))
    resumed = losses(train(tmp_path / "resumed", *noisy, f"ckpt_path={tmp_path / 'third.ckpt'}"))
    assert resumed == pytest.approx({step: whole[step] for step in (13, 15, 17, 19)}, rel=1e-6)


@pytest.mark.slow
def test_the_batches_of_one_step_draw_different_random_numbers(settings: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "drawn.txt"
    telling = ("~model.network", f"+model.network={{_target_: tests.backends.xla.noisy.Telling, file: {file}}}")
    short = ("trainer.max_epochs=1", "trainer.limit_train_batches=4", "+trainer.accumulate_grad_batches=2")
    done = deblurlab("train", *TINY[:-2], TINY[-1], *XLA, *settings, *telling, *short, f"run={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    drawn = file.read_text().split()
    assert len(drawn) == len(set(drawn)) == 4
