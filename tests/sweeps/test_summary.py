"""What a sweep's summary cannot do ends the command with one line: Hydra alone would warn and exit with 0."""

import csv
import json
import sys
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from deblurlab.sweeps import Summary


def job(sweep: Path, name: str, status: str) -> Path:
    folder = sweep / name
    folder.mkdir()
    record = {"monitor": "val/ssim", "swept": {"seed": 1}, "overrides": ["seed=1"], "status": status}
    (folder / "job.json").write_text(json.dumps(record))
    (folder / "metrics.csv").write_text("epoch,seconds,val/ssim\n1,1,0.5\n")
    (folder / "metrics.json").write_text(json.dumps({"images": 1, "restored": {"ssim": 0.5}, "blurred": {"ssim": 0.4}}))
    return folder


@pytest.fixture
def summary(tmp_path: Path) -> Summary:
    summary = Summary()
    summary.folder = tmp_path
    return summary


NOTHING: DictConfig = OmegaConf.create({})


def ends(summary: Summary) -> str:
    with pytest.raises(SystemExit) as ended:
        summary.on_multirun_end(NOTHING)
    (line,) = str(ended.value).splitlines()
    return line


def test_a_whole_summary_of_finished_jobs_ends_nothing(summary: Summary, tmp_path: Path) -> None:
    job(tmp_path, "a", "finished")
    summary.on_multirun_end(NOTHING)
    assert (tmp_path / "summary.csv").is_file()


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("job.json", "{", "job.json is damaged (Expecting property name"),
        ("job.json", '{"moniter": "val/ssim"}', "job.json is damaged"),
        ("metrics.json", "{}", "metrics.json is damaged: KeyError('restored')"),
        ("metrics.csv", "seconds,val/ssim\n1,0.5\n", "metrics.csv is damaged: line 2 has no epoch"),
        ("metrics.csv", "epoch,seconds\n1,x\n", "metrics.csv is damaged"),
    ],
)
def test_a_summary_that_cannot_be_made_is_an_error(
    file: str, content: str, reason: str, summary: Summary, tmp_path: Path
) -> None:
    (job(tmp_path, "a", "finished") / file).write_text(content)
    line = ends(summary)
    assert line.startswith(f"error: the summary of the sweep in {tmp_path} cannot be made: ")
    assert reason in line


def test_a_job_whose_seconds_are_unknown_has_an_empty_cell(summary: Summary, tmp_path: Path) -> None:
    (job(tmp_path, "a", "finished") / "metrics.csv").write_text("epoch,val/ssim\n1,0.5\n2,0.6\n")
    job(tmp_path, "b", "finished")
    summary.on_multirun_end(NOTHING)
    with (tmp_path / "summary.csv").open(newline="") as stream:
        rows = {row["run"]: (row["epochs"], row["seconds"]) for row in csv.DictReader(stream)}
    assert rows == {"a": ("2", ""), "b": ("1", "1.0")}


def test_an_infinite_score_ends_nothing(summary: Summary, tmp_path: Path) -> None:
    for name, loss in (("a", float("inf")), ("b", 1.0)):
        scores = {"images": 1, "restored": {"loss": loss}, "blurred": {"loss": 1.0}}
        (job(tmp_path, name, "finished") / "metrics.json").write_text(json.dumps(scores))
    summary.on_multirun_end(NOTHING)
    with (tmp_path / "summary.csv").open() as stream:
        assert {(row["test/loss mean"], row["test/loss std"]) for row in csv.DictReader(stream)} == {("inf", "")}


def test_failed_jobs_are_told_even_then(summary: Summary, tmp_path: Path) -> None:
    job(tmp_path, "a", "failed")
    (job(tmp_path, "b", "finished") / "metrics.json").write_text("{}")
    line = ends(summary)
    assert "metrics.json is damaged" in line
    assert "1 of 2 jobs failed: " in line
    assert "a/failure.txt" in line


def test_a_summary_that_cannot_be_written_names_the_file(summary: Summary, tmp_path: Path) -> None:
    job(tmp_path, "a", "finished")
    (tmp_path / "summary.csv").mkdir()
    assert f"{tmp_path}/summary.csv" in ends(summary)


def test_a_sweep_whose_folder_cannot_be_written_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    config = OmegaConf.create({"hydra": {"sweep": {"dir": str(tmp_path / "taken")}, "sweeper": {"params": None}}})
    config.hydra.overrides = {"task": ["seed=1,2"]}
    with pytest.raises(SystemExit, match=r"the sweep in .*/taken cannot start: .*taken"):
        Summary().on_multirun_start(config)


def test_a_search_without_optuna_ends_before_its_jobs_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    config = OmegaConf.create({"hydra": {"sweep": {"dir": str(tmp_path / "sweep")}}, "search": {"trial": 0}})
    with pytest.raises(SystemExit, match=r"cannot start: sweep=optuna needs Optuna: pip install 'deblurlab\[optuna\]'"):
        Summary().on_multirun_start(config)
    assert not (tmp_path / "sweep").exists()
