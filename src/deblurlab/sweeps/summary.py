"""Summarises a sweep in summary.csv and in a table on the terminal, with the best settings first."""

import csv
import logging
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from rich import box
from rich.markup import escape
from rich.table import Table

from deblurlab.app.several_devices import SWEEP, require_one_process
from deblurlab.checks.command_line import assignment
from deblurlab.checks.console import table_console
from deblurlab.files.whole_file import whole_file
from deblurlab.metrics.scores import COMPARED_SCORES, SCORES
from deblurlab.run.history import total_seconds
from deblurlab.sweeps.ranking import Setting, mean_and_deviation, rank, read_jobs
from deblurlab.sweeps.record import Record
from deblurlab.sweeps.search import require_optuna
from deblurlab.sweeps.swept_keys import save_swept_keys

log = logging.getLogger(__name__)


class Summary(Callback):
    """A callback that Hydra calls when a sweep starts and when it ends.

    At the start it saves the swept keys for the jobs, and prints how to continue this sweep after an interruption. At
    the end it writes ``summary.csv`` and prints a table.

    Hydra turns any error of a callback into a warning and continues. Here each error ends the process instead: a sweep
    without its swept keys would mix up the folders of its jobs, and one that does not know how its jobs ended would
    exit as if all of them had succeeded.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        self.folder = Path(config.hydra.sweep.dir)
        with _ending_the_process(f"the sweep in {self.folder} cannot start"):
            require_one_process(SWEEP)  # here, before Hydra lists all jobs and starts the first
            if config.get("search"):
                require_optuna()
            save_swept_keys(config.hydra, self.folder)
        print(
            f"sweep folder: {self.folder} (after an interruption, repeat the command with "
            f"{assignment('hydra.sweep.dir', self.folder)})",
            file=sys.stderr,
        )

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Write and print the outcome. End this process with exit status 1 if a job or this summary has failed."""
        failures = ""
        with _ending_the_process(f"the summary of the sweep in {self.folder} cannot be made", lambda: failures):
            jobs = read_jobs(self.folder)
            failures = self._failures(jobs)
            settings = rank(jobs)
            write_summary(settings, self.folder / "summary.csv")
            print_summary(settings)
        if failures:
            sys.exit(f"error: {failures}")

    def _failures(self, jobs: Sequence[Record]) -> str:
        """A message about the failed jobs and how to try them again; "" if there are none."""
        failed = [str(job.files.failure_file) for job in jobs if job.status == "failed"]
        if not failed:
            return ""
        again = f"The same command with {assignment('hydra.sweep.dir', self.folder)} tries them again."
        return f"{len(failed)} of {len(jobs)} jobs failed: {', '.join(failed)}. {again}"


@contextmanager
def _ending_the_process(what: str, known: Callable[[], str] = str) -> Iterator[None]:
    """End the process with one line and exit status 1 if the block raises an error.

    Args:
        what: The beginning of the line: what has failed.
        known: Returns the end of the line.
    """
    try:
        yield
    except Exception as error:
        log.debug(what, exc_info=True)
        kind = "" if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: "
        sys.exit(f"error: {what}: {kind}{str(error).rstrip('.')}. {known()}".rstrip())


def write_summary(settings: Sequence[Setting], file: Path) -> None:
    """Write a table with one row per run: its setting's rank, its overrides, its status and its scores.

    Each row also has the mean and the standard deviation of the scores over the seeds of its setting.
    """
    rows = []
    for number, setting in enumerate(settings, start=1):
        mean, deviation = mean_and_deviation([run.best for run in setting.finished])
        for run in setting.runs:
            scores = run.test_scores()
            row: dict[str, Any] = {
                "rank": number if setting.finished else None,
                "run": run.folder.name,
                "status": run.status,
                **run.swept,
            }
            epochs = run.epochs
            seconds = total_seconds(epochs)
            row |= {"epochs": len(epochs), "seconds": None if seconds is None else round(seconds, 1)}
            row |= {f"best {run.monitor}": run.best} | {f"test/{one.name}": scores.get(one.name) for one in SCORES}
            row |= {"seeds": len(setting.finished), "mean": mean, "std": deviation}
            for score in SCORES:
                of_test = mean_and_deviation(setting.test_values(score))
                row[f"test/{score.name} mean"], row[f"test/{score.name} std"] = of_test
            rows.append(row)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with whole_file(file) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows({name: "" if _unknown(value) else value for name, value in row.items()} for row in rows)


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def print_summary(settings: Sequence[Setting]) -> None:
    """Print a table with one row per setting, and mean ± standard deviation over its seeds."""
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
            for status in ("finished", "pruned", "diverged", "failed", "running")
        }
        runs = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        table.add_row(
            str(number) if setting.finished else "-",
            *(_short(setting.swept.get(key, "")) for key in keys),
            runs,
            _plus_minus([run.best for run in setting.finished or setting.runs], "{:.4f}".format),
            *(_plus_minus(setting.test_values(score), score.plain) for score in COMPARED_SCORES),
        )
    table_console().print(table)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else escape(str(value))  # rich would take [a,b] for markup


def _plus_minus(values: Sequence[float], text: Callable[[float], str]) -> str:
    mean, deviation = mean_and_deviation(values)
    if math.isnan(mean):
        return "-"
    return text(mean) + ("" if math.isnan(deviation) else f" ± {text(deviation)}")
