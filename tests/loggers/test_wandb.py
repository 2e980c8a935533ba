"""What the loggers hold after a run."""

import csv
import errno
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wandb

from deblurlab.loggers import Wandb
from deblurlab.loggers.wandb_rows import LoggedRows, last_stored_step
from deblurlab.run.history import read_history
from deblurlab.run.run_folder import RunFolder
from tests.conftest import HANG_SECONDS, Call, run_command, wait_for_end_of_processes_in
from tests.loggers.wandb_server import WandbServer, wandb_server

SHORT = (
    "data=cifar10",
    "data.batch_size=4",
    "trainer=cpu",
    "trainer.max_epochs=2",
    "trainer.limit_train_batches=3",
    "trainer.log_every_n_steps=1",
    "model.network.widths=[4,8]",
    "run=run",
)


def test_tensorboard_holds_curves_and_panel(call: Call, tmp_path: Path, tiny_cifar10: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    call("train", *SHORT, f"data.root={tiny_cifar10}", "logger=tensorboard")
    events = accumulator.EventAccumulator(str(tmp_path / "run/tensorboard/version_0"))
    events.Reload()
    assert [event.step for event in events.Images("val/panel")] == [3, 6]
    # beside the last step that Lightning logged, like the validation's scores of the epoch
    assert [event.step for event in events.Scalars("train/images_per_second")] == [2, 5]
    assert all(event.value > 0 for event in events.Scalars("train/images_per_second"))
    assert [event.step for event in events.Scalars("train/loss_step")] == [0, 1, 2, 3, 4, 5]
    assert len(events.Scalars("val/ssim")) == 2


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_RUN_GROUP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # where a stored key would be


def records(file: Path) -> dict[str, list[dict[str, Any]]]:
    """What W&B's own reader finds in a run's file, by type."""
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", file]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    found: dict[str, list[dict[str, Any]]] = {}
    for record in map(json.loads, lines):
        found.setdefault(record["type"], []).append(record[record["type"]])
    return found


def by_step(history: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {record["item"]["_step"]: record["item"] for record in history}


@pytest.mark.usefixtures("offline")
def test_an_offline_wandb_run_holds_everything(
    call: Call, tmp_path: Path, tiny_cifar10: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("train", *SHORT, f"data.root={tiny_cifar10}", "logger=wandb")
    (stored,) = (tmp_path / "run/wandb").glob("offline-run-*/run-*.wandb")
    found = records(stored)
    assert (found["run"][0]["display_name"], found["run"][0]["run_group"]) == ("run", "cifar10_unet16")
    config: dict[str, Any] = {}
    for one in found["config"]:
        config |= one["update"]
    assert config["data"]["batch_size"] == 4
    assert config["model"]["network"]["widths"] == [4, 8]

    steps = by_step(found["history"])
    assert [step for step in steps if "train/loss_step" in steps[step]] == [0, 1, 2, 3, 4, 5]
    assert all(steps[step]["train/grad_norm_step"] > 0 for step in range(6))
    epochs = read_history(tmp_path / "run/metrics.csv")
    for step, epoch in zip((2, 5), epochs, strict=True):
        assert steps[step]["train/images_per_second"] > 0
        logged = {name: value for name, value in epoch.items() if name.startswith("val/")}
        assert {name: steps[step][name] for name in logged} == pytest.approx(logged, rel=1e-6)
        assert steps[step]["train/loss_epoch"] == pytest.approx(epoch["train/loss"], rel=1e-6)
    panels = [stored.parent / "files" / item["val/panel.path"] for item in steps.values() if "val/panel.path" in item]
    assert len(panels) == 2
    assert all(panel.is_file() for panel in panels)
    last = steps[6]
    scores = json.loads((tmp_path / "run/metrics.json").read_text())
    for version in ("restored", "blurred"):
        assert {name: last[f"test/{version}/{name}"] for name in scores[version]} == pytest.approx(scores[version])
    summary = {name: value for item in steps.values() for name, value in item.items()}
    table = json.loads((stored.parent / "files" / summary["test/per_image.path"]).read_text())
    with (tmp_path / "run/per_image.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert [table["columns"], *([str(cell) for cell in row] for row in table["data"])] == rows
    # no artifact but the table: the checkpoint goes online only
    assert {artifact["type"] for artifact in found["artifact"]} == {"run_table"}
    assert "to upload: wandb sync run/wandb/offline-run-*" in capsys.readouterr().err


def logged_offline(folder: Path, steps: range) -> None:
    """What a training logs between its start and its end."""
    logger = Wandb(folder=str(folder), project="deblurlab")
    logger.log_beside({"train/images_per_second": 1.0})
    for step in steps:
        logger.log_metrics({"train/loss_step": float(step)}, step=step)
    logger.finish()
    wandb.teardown()


@pytest.mark.usefixtures("offline")
def test_a_run_that_is_resumed_offline_uploads_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged_offline(tmp_path / "run", range(6))
    logged_offline(tmp_path / "run", range(4, 9))  # steps 4 and 5 came after the checkpoint
    stored = sorted((tmp_path / "run/wandb").glob("offline-run-*/*.wandb"))
    assert {records(file)["run"][0]["run_id"] for file in stored} == {(tmp_path / "run/wandb/run_id").read_text()}
    parts = [[row["item"]["_step"] for row in records(file)["history"]] for file in stored]
    assert parts == [[0, 1, 2, 3, 4, 5], [6, 7, 8]]
    rows = synced(tmp_path / "run", monkeypatch)
    assert [(row["_step"], row["train/loss_step"]) for row in rows] == [(n, float(n)) for n in range(9)]


def synced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The rows that a server has when all of a run's offline folders, in any order, are uploaded as one run."""
    parts = sorted((folder / "wandb").glob("offline-run-*"), reverse=True)
    with wandb_server() as server, monkeypatch.context() as patch:
        patch.setenv("WANDB_API_KEY", "0" * 40)
        patch.setenv("WANDB_BASE_URL", server.url)
        command = [sys.executable, "-m", "wandb", "sync", *(str(part) for part in parts)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=HANG_SECONDS)
    assert {run["name"] for run in server.runs} == {(folder / "wandb/run_id").read_text()}
    return server.history


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", ["run", "my run's $HOME; *"])
def test_the_command_that_uploads_later_names_the_run_in_a_shell(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="deblurlab"):
        logged_offline(tmp_path / name, range(2))
    told = [record.getMessage() for record in caplog.records if record.name.startswith("deblurlab")]
    _, _, files = told[-1].partition("to upload: wandb sync ")
    named = subprocess.run(["sh", "-c", f"ls -d {files}"], check=True, capture_output=True, text=True)
    assert named.stdout.splitlines() == [str(part) for part in (tmp_path / name / "wandb").glob("offline-run-*")]


KILLED = """
import os
from deblurlab.loggers import Wandb
logger = Wandb(folder="run", project="deblurlab")
for step in range(150):
    logger.log_metrics({f"train/{number}": number + step / 7 for number in range(10)}, step=step)
logger.log_beside({"train/images_per_second": 1.0})
os.kill(os.getpid(), 9)
"""


@pytest.mark.usefixtures("offline")
def test_rows_that_wandb_lost_in_a_kill_are_logged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, check=False, timeout=HANG_SECONDS)
    assert killed.returncode == -9
    wait_for_end_of_processes_in(tmp_path)  # W&B's own, which writes the file
    (stored,) = (tmp_path / "run/wandb").glob("offline-run-*/*.wandb")
    steps = [row["item"]["_step"] for row in records(stored).get("history", [])]
    assert steps == list(range(len(steps)))
    assert len(steps) < 150  # W&B has lost the last ones
    with stored.open("ab") as stream:
        stream.write(stored.read_bytes()[7:20])  # the beginning of a record, at which `wandb sync` would stop
    assert last_stored_step(tmp_path / "run/wandb", stored.stem.removeprefix("run-")) == max(steps, default=-1)
    empty = stored.parent.with_name(f"offline-run-20000101_000000-{stored.parent.name.rpartition('-')[2]}")
    empty.mkdir()
    (empty / stored.name).touch()  # the file of a run that was killed at once
    logger = Wandb(folder=str(tmp_path / "run"), project="deblurlab")
    logger.log_metrics({"train/0": -1.0}, step=100)  # is repeated
    logger.log_metrics({"val/ssim": 0.5}, step=149)  # came to this row after the kill
    logger.log_metrics({"train/0": 0.0}, step=150)
    logger.finish()
    wandb.teardown()
    rows = synced(tmp_path / "run", monkeypatch)
    assert [row["_step"] for row in rows] == list(range(151))
    assert [row["train/3"] for row in rows[:150]] == [3 + step / 7 for step in range(150)]
    assert [row["train/0"] for row in rows[:150]] == [step / 7 for step in range(150)]
    assert (rows[149]["train/images_per_second"], rows[149]["val/ssim"]) == (1.0, 0.5)


def test_a_damaged_journal_gives_the_rows_that_are_whole(tmp_path: Path) -> None:
    rows = LoggedRows(file := tmp_path / "rows.jsonl")
    rows.add(0, {"a": 1.0})
    rows.add(1, {"a": 2.0, "picture": None})
    odd = (b'{"step": 2, "values"', b"\xff\x00\xfe", b"", b"null", b"[1]", b'{"step": 3}', b'{"step": 4, "values": 5}')
    file.write_bytes(b"\n".join((file.read_bytes().splitlines()[0], *odd, file.read_bytes().splitlines()[1], b'{"st')))
    again = LoggedRows(file)
    assert again.last == 1
    assert list(again.since(0)) == [(0, {"a": 1.0}), (1, {"a": 2.0})]


@pytest.mark.usefixtures("offline")
def test_a_journal_that_cannot_be_read_ends_no_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    logged_offline(tmp_path / "run", range(2))
    file = RunFolder(tmp_path / "run").wandb_rows_file
    file.unlink()
    file.mkdir()  # nobody can read or write it, not even root
    logger = Wandb(folder=str(tmp_path / "run"), project="deblurlab")
    for step in (2, 3):
        logger.log_metrics({"train/loss_step": 1.0}, step=step)
    logger.finish()
    wandb.teardown()
    assert [record.levelname for record in caplog.records if str(file) in record.getMessage()] == ["WARNING"]


@pytest.mark.usefixtures("offline")
def test_what_comes_to_a_row_that_is_closed_goes_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged_offline(tmp_path / "run", range(3))  # is ended in the validation after step 2
    logger = Wandb(folder=str(tmp_path / "run"), project="deblurlab")
    for step in (1, 2):
        logger.log_metrics({"train/loss_step": -1.0}, step=step)
    for _ in range(2):
        logger.log_metrics({"val/ssim": 0.5}, step=2)
    logger.log_metrics({"train/loss_step": 3.0}, step=3)
    logger.finish()
    wandb.teardown()
    rows = synced(tmp_path / "run", monkeypatch)
    assert [(row["_step"], row["train/loss_step"], row.get("val/ssim")) for row in rows] == [
        (0, 0.0, None),
        (1, 1.0, None),
        (2, 2.0, None),
        (3, 3.0, 0.5),
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_a_training_that_is_interrupted_twice_uploads_what_a_whole_one_does(
    tmp_path: Path, tiny_cifar10: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scalars(name: str) -> list[dict[str, Any]]:
        left_out = ("_timestamp", "_runtime", "train/images_per_second")
        return [
            {name: value for name, value in row.items() if name not in left_out and not isinstance(value, dict)}
            for row in synced(tmp_path / name, monkeypatch)
        ]

    exact = ("trainer.precision=32-true", "callbacks.within_epoch.minutes=0")
    arguments = (*SHORT[:-1], f"data.root={tiny_cifar10}", "logger=wandb", *exact)
    faults = "{_target_: tests.faults."
    killed = f"+callbacks.kill={faults}SignalIn, hook: on_validation_batch_end, number: 9, folder: run}}"
    asked = f"+callbacks.ask={faults}SignalAt, step: 5, number: 15}}"
    again = ("run=run", "ckpt_path=last", "callbacks.kill=null")
    for run, end_of_it, status in (
        (("run=whole",), (), 0),
        (("run=run",), (killed,), -9),
        (again, (asked,), 143),
        (again, ("callbacks.ask=null",), 0),
    ):
        done = run_command(tmp_path, "train", *arguments, *run, *end_of_it)
        assert done.returncode == status, done.stderr
    assert len(list((tmp_path / "run/wandb").glob("*offline-run-*"))) == 3
    assert scalars("run") == scalars("whole")


@pytest.mark.usefixtures("offline")
def test_wandbs_failures_cost_no_training(
    call: Call,
    tmp_path: Path,
    tiny_cifar10: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for method in ("log", "finish"):
        monkeypatch.setattr(wandb.Run, method, full)
    call("train", *SHORT, f"data.root={tiny_cifar10}", "logger=wandb")
    assert (tmp_path / "run/metrics.json").is_file()
    warned = capsys.readouterr().err
    assert warned.count("W&B could not log") == 1
    assert "No space left on device" in warned
    monkeypatch.undo()
    wandb.finish()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
    for name in ("WANDB_MODE", "WANDB_RUN_GROUP"):
        monkeypatch.delenv(name, raising=False)
    with wandb_server() as one:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
        monkeypatch.setenv("WANDB_BASE_URL", one.url)
        yield one


def test_an_online_run_uploads_the_best_checkpoint(tmp_path: Path, tiny_cifar10: Path, server: WandbServer) -> None:
    done = run_command(tmp_path, "train", *SHORT, f"data.root={tiny_cifar10}", "logger=wandb")
    assert done.returncode == 0, done.stderr
    assert f"W&B: {server.url}/e/deblurlab/runs/" in done.stderr, done.stderr
    assert "wandb sync" not in done.stderr
    assert (server.runs[0]["displayName"], server.runs[0]["groupName"]) == ("run", "cifar10_unet16")
    assert [row["_step"] for row in server.history if "train/loss_step" in row] == [0, 1, 2, 3, 4, 5]
    (best,) = [one for one in server.artifacts if one["artifactTypeName"] == "model"]
    assert "best" in [alias["alias"] for alias in best["aliases"]]
    assert server.files["artifact/best.ckpt"] == (tmp_path / "run/checkpoints/best.ckpt").read_bytes()
    assert "artifact/test/per_image.table.json" in server.files


@pytest.mark.slow
def test_a_lost_connection_costs_no_training(tmp_path: Path, tiny_cifar10: Path, server: WandbServer) -> None:
    def lost(*_: object) -> None:
        raise ConnectionError

    answer = server.answer

    def until_the_run_is_there(operation: str, given: dict[str, Any]) -> dict[str, Any]:
        if server.runs:
            server.finish_request = lost  # every request from now on
        return answer(operation, given)

    server.answer = until_the_run_is_there
    server.handle_error = lambda *_: None
    more = (f"data.root={tiny_cifar10}", "logger=wandb", "logger.wandb.upload_seconds=5")
    done = run_command(tmp_path, "train", *SHORT, *more)
    assert done.returncode == 0, done.stderr
    assert len(read_history(tmp_path / "run/metrics.csv")) == 2
    assert (tmp_path / "run/metrics.json").is_file()
    assert "wandb sync run/wandb/run-" in done.stderr, done.stderr


def test_wandb_that_cannot_start_is_a_dummy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)

    def refuse(**_: object) -> bool:
        raise wandb.errors.AuthenticationError("no connection")

    monkeypatch.setattr(wandb, "login", refuse)
    (tmp_path / "wandb").write_text("a file where the folder should be")
    logger = Wandb(folder=str(tmp_path), project="deblurlab")
    assert logger.experiment.disabled
    logger.log_metrics({"val/ssim": 1.0}, step=3)
    logger.finish()


def test_csv_holds_each_logged_step(call: Call, tmp_path: Path, tiny_cifar10: Path) -> None:
    call("train", *SHORT, f"data.root={tiny_cifar10}", "logger=csv")
    text = (tmp_path / "run/steps/version_0/metrics.csv").read_text().splitlines()
    column = text[0].split(",").index("train/loss_step")
    assert len([line for line in text[1:] if line.split(",")[column]]) == 6
