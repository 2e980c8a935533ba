"""The main command as a user runs it."""

import csv
import json
import shutil
import signal
from pathlib import Path

import pytest
import torch

from tests.conftest import Call, run_command

RUN_FOLDER = (
    ".hydra/config.yaml",
    "checkpoints/best.ckpt",
    "checkpoints/last.ckpt",
    "curves.png",
    "metrics.csv",
    "metrics.json",
    "panel.png",
    "run.log",
)


def _arguments(root: Path, *more: str) -> tuple[str, ...]:
    """Four epochs of eight steps in float32."""
    return (
        "model=unet16",
        "model.network.widths=[4,8]",
        "data=cifar10",
        f"data.root={root}",
        "data.batch_size=4",
        "trainer=cpu",
        "trainer.precision=32-true",
        "trainer.max_epochs=4",
        *more,
    )


def _weights(run: Path) -> dict[str, torch.Tensor]:
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def _rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, tiny_cifar10: Path) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    done = run_command(folder, "train", *_arguments(tiny_cifar10, "run=run"))
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout)
    (folder / "stderr").write_text(done.stderr)
    return folder / "run"


def test_leaves_everything_in_the_runs_folder(uninterrupted: Path) -> None:
    assert [name for name in RUN_FOLDER if not (uninterrupted / name).is_file()] == []
    assert not list(uninterrupted.rglob("*.partial"))
    assert sorted(path.name for path in uninterrupted.parent.iterdir()) == ["run", "stderr", "stdout"]
    rows = _rows(uninterrupted)
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["step"] for row in rows] == ["8", "16", "24", "32"]
    assert all(0 < float(row["val/ssim"]) < 1 and float(row["train/loss"]) > 0 for row in rows)
    assert all(value for row in rows for value in row.values())  # each column is there from the first epoch on


def test_writes_the_scores_that_it_prints(uninterrupted: Path) -> None:
    result = json.loads((uninterrupted / "metrics.json").read_text())
    assert (result["data"], result["split"], result["images"]) == ("cifar10", "test", 10)
    printed = (uninterrupted.parent / "stdout").read_text()
    for name, version in (("unet16", "restored"), ("blurred", "blurred")):
        (row,) = [line for line in printed.splitlines() if line.strip().startswith(name)]
        scores = result[version]
        expected = (scores["loss"] * 1e4, scores["ssim"], scores["psnr"], scores["mse"] * 1e3, scores["mae"] * 1e2)
        assert [float(cell) for cell in row.split()[1:]] == pytest.approx(expected, abs=6e-3)


def test_says_nothing_that_is_not_its_own(uninterrupted: Path) -> None:
    lines = (uninterrupted.parent / "stderr").read_text().splitlines()
    assert lines[0].startswith("deblurlab ")
    own = ("deblurlab ", "run folder", "epoch", "tested in", "run holds")
    assert [line for line in lines if not line.startswith(own)] == []


@pytest.mark.parametrize("within_epoch", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_killed_run_resumes_to_the_same_weights(
    within_epoch: bool, tmp_path: Path, tiny_cifar10: Path, uninterrupted: Path
) -> None:
    """Killed after step 21 of 32, in the middle of epoch 3: goes on from the epoch's start, or from step 20."""
    arguments = _arguments(tiny_cifar10, "run=run")
    if within_epoch:
        arguments += ("callbacks.within_epoch.minutes=0",)
    killed = run_command(
        tmp_path, "train", *arguments, "+callbacks.kill={_target_: tests.faults.SignalAt, step: 21, number: 9}"
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    step = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)["global_step"]
    assert step == (20 if within_epoch else 16)

    resumed = run_command(tmp_path, "train", *arguments, "ckpt_path=last", "+callbacks.kill=null")
    assert resumed.returncode == 0, resumed.stderr
    expected, actual = _weights(uninterrupted), _weights(tmp_path / "run")
    assert expected.keys() == actual.keys()
    assert all(torch.equal(expected[name], actual[name]) for name in expected)
    columns = ("epoch", "step", "lr", "val/loss", "val/ssim", "val/psnr", "val/mse", "val/mae")
    for one, other in zip(_rows(uninterrupted), _rows(tmp_path / "run"), strict=True):
        assert [one[name] for name in columns] == [other[name] for name in columns]
    assert json.loads((tmp_path / "run/metrics.json").read_text()) == json.loads(
        (uninterrupted / "metrics.json").read_text()
    )


def test_a_moved_run_resumes_and_keeps_its_best(uninterrupted: Path, tiny_cifar10: Path, tmp_path: Path) -> None:
    shutil.copytree(uninterrupted, tmp_path / "moved")
    for old in (tmp_path / "moved/metrics.json", *(tmp_path / "moved/evaluate").rglob("*.json")):
        old.unlink()
    uninterrupted.rename(uninterrupted.with_name("away"))
    try:
        arguments = _arguments(tiny_cifar10, "run=moved", "ckpt_path=last")
        done = run_command(tmp_path, "train", *arguments)
    finally:
        uninterrupted.with_name("away").rename(uninterrupted)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "moved/metrics.json").read_text()) == json.loads(
        (uninterrupted / "metrics.json").read_text()
    )


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGUSR1, marks=pytest.mark.slow)])
def test_a_run_that_is_asked_to_end_saves_a_checkpoint_and_goes_on_from_there(
    number: signal.Signals, tiny_cifar10: Path, tmp_path: Path, uninterrupted: Path
) -> None:
    """Step 12 of 32 is in the middle of the second epoch."""
    end = f"+callbacks.end={{_target_: tests.faults.SignalAt, step: 12, number: {int(number)}}}"
    ended = run_command(tmp_path, "train", *_arguments(tiny_cifar10, "run=run"), end)
    assert ended.returncode == 128 + number
    line = ended.stderr.splitlines()[-1]
    assert line.endswith(": run=run ckpt_path=last trust=[tests] continues from the last checkpoint.")
    assert line in (tmp_path / "run/run.log").read_text()
    assert torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)["global_step"] == 12
    assert not list(tmp_path.rglob("*.partial"))

    resumed = run_command(
        tmp_path, "train", *_arguments(tiny_cifar10, "run=run", "ckpt_path=last", "+callbacks.end=null")
    )
    assert resumed.returncode == 0, resumed.stderr
    assert all(torch.equal(one, _weights(tmp_path / "run")[name]) for name, one in _weights(uninterrupted).items())


@pytest.mark.slow
def test_after_an_epochs_last_batch_it_ends_with_the_epoch(tiny_cifar10: Path, tmp_path: Path) -> None:
    """Its checkpoint has the epoch's validation; one after the last batch would have none, and leave it out."""
    end = "+callbacks.end={_target_: tests.faults.SignalAt, step: 16, number: 15}"
    ended = run_command(tmp_path, "train", *_arguments(tiny_cifar10, "run=run"), end)
    assert ended.returncode == 128 + signal.SIGTERM
    assert "terminated (SIGTERM)" in ended.stderr
    assert [row["epoch"] for row in _rows(tmp_path / "run")] == ["1", "2"]
    assert torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)["global_step"] == 16


def test_the_lowest_loss_is_the_best(tiny_cifar10: Path, call: Call, tmp_path: Path) -> None:
    call("train", *_arguments(tiny_cifar10, "monitor=val/loss", "run=run"))
    losses = [float(row["val/loss"]) for row in _rows(tmp_path / "run")]
    best = torch.load(tmp_path / "run/checkpoints/best.ckpt", weights_only=True)
    assert best["epoch"] == losses.index(min(losses)) > 0


def test_a_finished_run_says_so(tiny_cifar10: Path, call: Call, tmp_path: Path) -> None:
    call("train", *_arguments(tiny_cifar10, "run=run"))
    call("train", *_arguments(tiny_cifar10, "run=run", "ckpt_path=last"))
    log = (tmp_path / "run/run.log").read_text()
    assert "resuming from run/checkpoints/last.ckpt" in log
    assert "trainer.max_epochs=4 is reached already; raise it to continue training" in log


def test_the_rate_of_an_epoch_is_the_one_it_was_trained_at(tiny_cifar10: Path, call: Call, tmp_path: Path) -> None:
    schedule = "_target_: deblurlab.tasks.schedules.constant_then_exponential, _partial_: true"
    call(
        "train",
        *_arguments(tiny_cifar10, "run=run"),
        f"model.scheduler={{{schedule}, constant_epochs: 2, gamma: 0.5}}",
        "trainer.limit_val_batches=0",
        "trainer.limit_test_batches=0",
        "callbacks.best.monitor=train/loss",
    )
    assert [float(row["lr"]) for row in _rows(tmp_path / "run")] == [1e-3, 1e-3, 5e-4, 2.5e-4]


@pytest.mark.filterwarnings("ignore:.*could not find the monitored key")
def test_an_epoch_without_validation_has_no_scores(tiny_cifar10: Path, call: Call, tmp_path: Path) -> None:
    """Also: a callback is switched off as Hydra does it."""
    each = ("trainer.check_val_every_n_epoch=2", "callbacks.panel=null", "run=run")
    call("train", *_arguments(tiny_cifar10, *each))
    assert [bool(row["val/ssim"]) for row in _rows(tmp_path / "run")] == [False, True, False, True]
    assert not (tmp_path / "run/panel.png").exists()


def test_evaluate_rebuilds_a_run(uninterrupted: Path, call: Call) -> None:
    call("evaluate", f"run={uninterrupted}", "trainer.precision=32-true")
    folder = uninterrupted / "evaluate" / "cifar10"
    assert json.loads((folder / "metrics.json").read_text()) == json.loads((uninterrupted / "metrics.json").read_text())
    with (folder / "per_image.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert not (folder / "metrics.csv").exists()
    assert [row["image"] for row in rows] == [str(number) for number in range(10)]
    assert all(0 <= float(row["sigma"]) <= 3 for row in rows)
    mean = sum(float(row["restored_ssim"]) for row in rows) / 10
    assert mean == pytest.approx(json.loads((folder / "metrics.json").read_text())["restored"]["ssim"], rel=1e-5)
    assert (folder / "panel.png").is_file()


def test_evaluate_takes_another_data_set(uninterrupted: Path, call: Call) -> None:
    call("evaluate", f"run={uninterrupted}", "data=sample", "trainer.limit_test_batches=1")
    result = json.loads((uninterrupted / "evaluate/sample-limit_test_batches_1/metrics.json").read_text())
    assert (result["data"], result["images"]) == ("sample", 16)
