"""The sweep's outcome: summary.csv and a table on the terminal, best settings first."""

import csv
import math
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deblurlab.files.whole_file import whole_file
from deblurlab.metrics.scores import COMPARED_SCORES, SCORES, Score, best_is
from deblurlab.sweeps.record import Record


class Summary(Callback):
    """Says how to go on with a sweep when it starts; writes, prints and judges its outcome when it ends."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        self.folder = Path(config.hydra.sweep.dir)
        print(
            f"sweep folder: {self.folder} (after an interruption, repeat the command with hydra.sweep.dir="
            f"{self.folder})",
            file=sys.stderr,
        )

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Exits with 1 if a job has failed."""
        settings = rank(read(self.folder))
        write(settings, self.folder / "summary.csv")
        show(settings)
        runs = [run for setting in settings for run in setting.runs]
        failed = [run.folder for run in runs if run.status == "failed"]
        if failed:
            listed = ", ".join(str(folder / "failure.txt") for folder in failed)
            again = f"The same command with hydra.sweep.dir={self.folder} tries them again."
            sys.exit(f"error: {len(failed)} of {len(runs)} jobs failed: {listed}. {again}")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Runs that differ in nothing but their seed."""

    swept: dict[str, Any]
    runs: Sequence[Record]

    @property
    def finished(self) -> list[Record]:
        return [run for run in self.runs if run.status == "finished"]

    @property
    def score(self) -> float:
        """Mean over seeds of the runs' best monitored value; of pruned and unfinished ones where none finished."""
        return mean([run.best for run in self.finished or self.runs])[0]


def mean(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation, NaN where there are too few values."""
    known = [value for value in values if not math.isnan(value)]
    return (
        statistics.fmean(known) if known else math.nan,
        statistics.stdev(known) if len(known) > 1 else math.nan,
    )


def read(folder: Path) -> list[Record]:
    """The jobs of the sweep in ``folder``."""
    records = (Record.read(file.parent) for file in sorted(folder.glob("*/job.json")))
    return [record for record in records if record]


def rank(records: Sequence[Record]) -> list[Setting]:
    """Settings, those with finished runs first, then by score; within one, runs by seed."""
    groups: dict[tuple[tuple[str, Any], ...], list[Record]] = {}
    for record in records:
        groups.setdefault(tuple((k, v) for k, v in record.swept.items() if k != "seed"), []).append(record)
    settings = [Setting(swept=dict(key), runs=runs) for key, runs in groups.items()]
    sign = -1 if records and best_is(records[0].monitor) == "max" else 1
    return sorted(settings, key=lambda one: (not one.finished, math.isnan(one.score), sign * one.score))


def write(settings: Sequence[Setting], file: Path) -> None:
    """A row a run: its setting's rank, its overrides, status and scores, and mean and deviation over the seeds."""
    rows = []
    for number, setting in enumerate(settings, start=1):
        over_seeds = mean([run.best for run in setting.finished])
        for run in setting.runs:
            scores = run.test_scores()
            row: dict[str, Any] = {
                "rank": number if setting.finished else None,
                "run": run.folder.name,
                "status": run.status,
                **run.swept,
            }
            row |= {"epochs": len(run.epochs), "seconds": round(sum(epoch["seconds"] for epoch in run.epochs), 1)}
            row |= {f"best {run.monitor}": run.best} | {f"test/{one.name}": scores.get(one.name) for one in SCORES}
            row |= {"seeds": len(setting.finished), "mean": over_seeds[0], "std": over_seeds[1]}
            for score in SCORES:
                row[f"test/{score.name} mean"], row[f"test/{score.name} std"] = mean(_test_values(setting, score))
            rows.append(row)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with whole_file(file) as partial, partial.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows({name: "" if _unknown(value) else value for name, value in row.items()} for row in rows)


def _test_values(setting: Setting, score: Score) -> list[float]:
    """A test score of each finished run; none if a run was tested before the table had this score."""
    tests = [run.test_scores() for run in setting.finished]
    return [scores[score.name] for scores in tests] if all(score.name in scores for scores in tests) else []


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def show(settings: Sequence[Setting]) -> None:
    """Print a row a setting, with mean ± standard deviation over the seeds."""
    if not settings:
        return
    monitor = settings[0].runs[0].monitor
    keys = list(dict.fromkeys(key for setting in settings for key in setting.swept))
    table = Table(box=box.SIMPLE_HEAD)
    tests = [f"test {score.title}" for score in COMPARED_SCORES]
    for title in ("rank", *(key.split(".")[-1] for key in keys), "runs", f"best {monitor}", *tests):
        table.add_column(title, justify="left" if title in keys else "right", overflow="fold")
    for number, setting in enumerate(settings, start=1):
        counts = {
            status: [run.status for run in setting.runs].count(status)
            for status in ("finished", "pruned", "failed", "running")
        }
        runs = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        table.add_row(
            str(number) if setting.finished else "-",
            *(_short(setting.swept.get(key, "")) for key in keys),
            runs,
            _plus_minus([run.best for run in setting.finished or setting.runs], "{:.4f}".format),
            *(_plus_minus(_test_values(setting, score), score.plain) for score in COMPARED_SCORES),
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else escape(str(value))  # [a,b] would be markup


def _plus_minus(values: Sequence[float], text: Callable[[float], str]) -> str:
    average, deviation = mean(values)
    if math.isnan(average):
        return "-"
    return text(average) + ("" if math.isnan(deviation) else f" ± {text(deviation)}")
