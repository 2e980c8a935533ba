"""Ranks the settings of a sweep: its jobs are grouped over their seeds and sorted by their score."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deblurlab.metrics.scores import Score, best_is
from deblurlab.run.run_folder import RunFolder
from deblurlab.sweeps.record import Record


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The jobs of a sweep that only differ in their seed.

    Attributes:
        swept: The overrides that distinguish this setting from the others.
        runs: The jobs, at least one.
    """

    swept: dict[str, Any]
    runs: Sequence[Record]

    @property
    def finished(self) -> list[Record]:
        """The jobs that have finished."""
        return [run for run in self.runs if run.status == "finished"]

    @property
    def score(self) -> float:
        """The mean over the seeds of the best monitored value of finished runs, or of all if none has finished."""
        return mean_and_deviation([run.best for run in self.finished or self.runs])[0]

    def test_values(self, score: Score) -> list[float]:
        """A test score of each finished run; empty if one of them was tested by a version without this score."""
        tests = [run.test_scores() for run in self.finished]
        return [scores[score.name] for scores in tests] if all(score.name in scores for scores in tests) else []


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation of the values that are not NaN; NaN if there are too few of them.

    The deviation of infinite values is NaN, too.
    """
    known = [value for value in values if not math.isnan(value)]
    return (
        statistics.fmean(known) if known else math.nan,
        statistics.stdev(known) if len(known) > 1 and all(map(math.isfinite, known)) else math.nan,
    )


def read_jobs(sweep: Path) -> list[Record]:
    """The jobs of a sweep, sorted by the names of their folders."""
    records = (Record.read(folder.path) for folder in RunFolder.within(sweep))
    return [record for record in records if record]


def rank(records: Sequence[Record]) -> list[Setting]:
    """Group jobs into settings, and sort these: settings with finished runs first, then by their score."""
    groups: dict[tuple[tuple[str, Any], ...], list[Record]] = {}
    for record in records:
        groups.setdefault(tuple((k, v) for k, v in record.swept.items() if k != "seed"), []).append(record)
    settings = [Setting(swept=dict(key), runs=runs) for key, runs in groups.items()]
    sign = -1 if records and best_is(records[0].monitor) == "max" else 1
    return sorted(settings, key=lambda one: (not one.finished, math.isnan(one.score), sign * one.score))
