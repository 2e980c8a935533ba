"""Sweeps through Hydra: jobs that a tiny program stands in for, and, slowly, real ones."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from deblurlab.sweeps import job
from tests.conftest import ROOT, Call, wait_for_end_of_processes_in

# Stands in for the training command: writes what a run leaves, each epoch's val/ssim growing by `slope`.
PROGRAM = """
import json, os, pathlib, sys, time
given = dict(text.split("=", 1) for text in sys.argv[1:])
folder = pathlib.Path(given["run"].strip("'"))
(folder.parent / "started.log").open("a").write(folder.name + " " + given.get("ckpt_path", "new") + "\\n")
(folder / "checkpoints").mkdir(parents=True)
if given["model"] == "resnet16":
    os.abort()
slope = float(given.get("model.optimizer.lr") or given["seed"]) / 10
rows = ["epoch,seconds,val/ssim"]
for epoch in range(1, 4):
    rows.append(f"{epoch},1,{slope * epoch}")
    (folder / "metrics.csv").write_text("\\n".join(rows) + "\\n")
    print("epoch", epoch, flush=True)
    time.sleep(0.1)
scores = {name: slope for name in ("loss", "ssim", "psnr", "mse", "mae")}
(folder / "metrics.json").write_text(json.dumps({"images": 1, "restored": scores, "blurred": scores}))
"""


@pytest.fixture(autouse=True)
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "slow" in request.keywords:
        return

    def command(hydra: object, overrides: list[str], folder: Path) -> list[str]:
        real(hydra, overrides, folder)
        return ["stand_in", *overrides, f"run='{folder}'"]

    (tmp_path / "stand_in.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""))))

    real = job._command
    monkeypatch.setattr(job, "_command", command)


def started(tmp_path: Path) -> list[str]:
    return (tmp_path / "sweep/started.log").read_text().splitlines()


@pytest.mark.parametrize("how", [["-m", "seed=1,2"], ["sweep=lr_batch"]])
def test_a_sweep_in_several_processes_is_refused_before_its_first_job(
    how: list[str], call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=r"cannot start: torchrun has started 2 processes, and a sweep, .* takes one"):
        call("train", *how, "hydra.sweep.dir=sweep")
    assert "Launching" not in capsys.readouterr().out
    assert not (tmp_path / "sweep").exists()


def table(tmp_path: Path) -> list[dict[str, str]]:
    with (tmp_path / "sweep/summary.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


SWEEP = ("-m", "hydra.sweep.dir=sweep")


def test_a_crashed_job_does_not_stop_the_others(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2 of 4 jobs failed"):
        call("train", *SWEEP, "model=resnet16,unet16", "seed=1,3")
    rows = {row["run"]: row for row in table(tmp_path)}
    assert {name: row["status"] for name, row in rows.items()} == {
        "model-unet16_seed-1": "finished",
        "model-unet16_seed-3": "finished",
        "model-resnet16_seed-1": "failed",
        "model-resnet16_seed-3": "failed",
    }
    assert "killed by SIGABRT" in (tmp_path / "sweep/model-resnet16_seed-1/failure.txt").read_text()
    best = rows["model-unet16_seed-3"]
    assert float(best["best val/ssim"]) == pytest.approx(0.9)
    # best of the seeds: 0.3 and 0.9
    assert (float(best["mean"]), float(best["std"])) == pytest.approx((0.6, 0.6 / 2**0.5))
    assert best["rank"] == "1"
    assert rows["model-resnet16_seed-1"]["mean"] == ""
    assert "0.6000 ± 0.4243" in capsys.readouterr().out


def test_a_rerun_skips_what_is_done(call: Call, tmp_path: Path) -> None:
    call("train", *SWEEP, "model=unet16", "seed=1,2")
    assert started(tmp_path) == ["seed-1 new", "seed-2 new"]
    (tmp_path / "sweep/seed-2/metrics.json").unlink()  # killed in its test
    record = tmp_path / "sweep/seed-2/job.json"
    record.write_text(record.read_text().replace("finished", "running"))
    (tmp_path / "sweep/seed-2/checkpoints/leftover.ckpt").touch()
    call("train", *SWEEP, "model=unet16", "seed=1,2,3")
    assert started(tmp_path)[2:] == ["seed-2 new", "seed-3 new"]
    assert not (tmp_path / "sweep/seed-2/checkpoints/leftover.ckpt").exists()
    assert [row["status"] for row in table(tmp_path)] == ["finished"] * 3


def test_folders_are_named_apart() -> None:
    rates = {"model.optimizer.lr": "1e-4", "model.critic_optimizer.lr": "2e-4"}
    assert job._folder_name(rates) == "model.optimizer.lr-1e-4_model.critic_optimizer.lr-2e-4"
    assert job._folder_name({"model": "unet16", "model.optimizer.lr": "1e-4"}) == "model-unet16_lr-1e-4"
    long = [job._folder_name({"data.root": "x" * 300 + end}) for end in "ab"]
    assert len(set(long)) == 2
    assert max(map(len, long)) <= 200


def test_other_overrides_are_another_sweep(call: Call) -> None:
    call("train", *SWEEP, "model=unet16", "seed=1,2")
    with pytest.raises(SystemExit, match=r"seed-1 was made with model=unet16 seed=1\. Repeat these"):
        call("train", *SWEEP, "model=unet16", "seed=1,2", "trainer.max_epochs=7")
    with pytest.raises(SystemExit, match=r"hydra\.sweep\.dir"):
        call("train", *SWEEP, "model=unet16", "seed=1,2", "run=here")


def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    class Runtime:
        config_sources = ()

    class Hydra:
        runtime = Runtime

    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/last.ckpt").touch()
    command = job._command.__closure__  # the fixture wraps the real one
    assert command is not None
    (real,) = [cell.cell_contents for cell in command if callable(cell.cell_contents)]
    assert real(Hydra, ["seed=1"], tmp_path)[-2:] == [f'run="{tmp_path}"', "ckpt_path=last"]
    assert (tmp_path / "checkpoints/last.ckpt").exists()


def test_sweep_files(call: Call, tmp_path: Path) -> None:
    call("train", "sweep=lr_batch", "model=unet16", "hydra.sweep.dir=sweep")
    assert len(started(tmp_path)) == 6
    assert table(tmp_path)[0]["model.optimizer.lr"] == "0.003"


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["joblib", pytest.param("submitit_local", marks=pytest.mark.exhaustive)])
def test_launchers(launcher: str, tmp_path: Path, tiny_cifar10: Path) -> None:
    pytest.importorskip(f"hydra_plugins.hydra_{launcher.split('_')[0]}_launcher")
    done = _sweep(tmp_path, f"hydra/launcher={launcher}", *_real(tiny_cifar10), "trainer.max_epochs=1")
    assert done.returncode == 0, done.stderr
    assert [(row["seed"], row["status"]) for row in table(tmp_path)] == [("1", "finished"), ("2", "finished")]


def _real(root: Path) -> tuple[str, ...]:
    data = ("data=cifar10", f"data.root={root}", "data.batch_size=4", "trainer=cpu")
    return ("model=unet16", "seed=1,2", "model.network.widths=[4,8]", *data)


def _sweep(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_command(*overrides), cwd=folder, env=_environment(), capture_output=True, text=True)


def _command(*overrides: str) -> list[str]:
    return [sys.executable, "-m", "deblurlab.train", *SWEEP, *overrides]


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))}


def test_a_search_prunes_and_continues(call: Call, tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    search = ("sweep=optuna", "model=unet16", "hydra.sweep.dir=sweep", "search.warmup_epochs=0")
    call("train", *search, "search.trial=range(8)", "trainer.max_epochs=3")
    statuses = [row["status"] for row in table(tmp_path)]
    assert statuses.count("pruned") > 0
    assert statuses.count("finished") == 8 - statuses.count("pruned")
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(tmp_path / "sweep/optuna.log"))
    )
    study = optuna.load_study(study_name="sweep", storage=storage)
    assert [trial.state.name for trial in study.trials].count("PRUNED") == statuses.count("pruned")
    best = table(tmp_path)[0]
    assert study.best_value == pytest.approx(float(best["best val/ssim"]))
    assert float(best["model.optimizer.lr"]) == study.best_params["model.optimizer.lr"]
    # the value is the learning rate's, so that the search has found the largest it tried among those that finished
    assert study.best_value == pytest.approx(0.3 * study.best_params["model.optimizer.lr"])

    call("train", *search, "search.trial=range(9)", "trainer.max_epochs=3")
    assert len(started(tmp_path)) == 9
    trials = optuna.load_study(study_name="sweep", storage=storage).trials
    assert [trial.state.name for trial in trials if not trial.state.is_finished()] == []
    assert len(trials) == 9


def test_a_failed_trial_is_tried_again_with_its_values(call: Call, tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    search = ("sweep=optuna", "hydra.sweep.dir=sweep", "search.trial=range(1)", "model=resnet16")
    values = []
    for _ in range(2):
        with pytest.raises(SystemExit, match="1 of 1 jobs failed"):
            call("train", *search)
        values.append(json.loads((tmp_path / "sweep/trial-0/job.json").read_text())["swept"]["model.optimizer.lr"])
    assert values[0] == values[1]
    assert len(started(tmp_path)) == 2
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "sweep/optuna.log"))
    assert len(optuna.load_study(study_name="sweep", storage=optuna.storages.JournalStorage(backend)).trials) == 1


@pytest.mark.slow
def test_a_killed_sweep_goes_on(tmp_path: Path, tiny_cifar10: Path) -> None:
    """Real jobs: the sweep and the job it runs die by SIGKILL, the re-run resumes that one and skips the finished."""
    arguments = (*_real(tiny_cifar10), "trainer.max_epochs=40")
    with subprocess.Popen(_command(*arguments), cwd=tmp_path, env=_environment(), stderr=subprocess.DEVNULL) as sweep:
        second = tmp_path / "sweep/seed-2/checkpoints/last.ckpt"
        while not second.exists() and sweep.poll() is None:
            time.sleep(0.05)
        sweep.send_signal(signal.SIGKILL)
    first = (tmp_path / "sweep/seed-1/metrics.json").stat().st_mtime_ns
    wait_for_end_of_processes_in(tmp_path)  # the job dies with the sweep
    saved = torch.load(second, weights_only=True)["epoch"] + 1  # metrics.csv may have one more: it is written first
    assert 1 <= saved < 40

    done = _sweep(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert "seed-1: finished already" in done.stderr
    assert (tmp_path / "sweep/seed-1/metrics.json").stat().st_mtime_ns == first
    assert [row["epochs"] for row in table(tmp_path)] == ["40", "40"]
    assert json.loads((tmp_path / "sweep/seed-2/job.json").read_text())["status"] == "finished"
    assert f"epoch {saved:>3}/40" not in done.stderr
    assert f"epoch {saved + 1:>3}/40" in done.stderr
