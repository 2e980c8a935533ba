"""What a sweep knows of a job: job.json beside the files of the run."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deblurlab.files.whole_file import whole_file
from deblurlab.metrics.scores import best_is
from deblurlab.run.history import read_history


@dataclass(kw_only=True)
class Record:
    """A job of a sweep.

    Attributes:
        folder: the run's folder.
        monitor: the metric that ranks runs, from metrics.csv.
        swept: the overrides that tell this job from the others, and what a search drew for it.
        overrides: all overrides of the command line.
        status: running (or killed), finished, pruned or failed.
    """

    folder: Path
    monitor: str
    swept: dict[str, Any]
    overrides: list[str]
    status: str

    @classmethod
    def read(cls, folder: Path) -> "Record | None":
        """The record in ``folder``, if there is one."""
        file = folder / "job.json"
        return cls(folder=folder, **json.loads(file.read_text())) if file.is_file() else None

    def write(self) -> None:
        content = {name: getattr(self, name) for name in ("monitor", "swept", "overrides", "status")}
        with whole_file(self.folder / "job.json") as partial:
            partial.write_text(json.dumps(content, indent=2) + "\n")

    @property
    def tested(self) -> bool:
        return (self.folder / "metrics.json").is_file()

    @property
    def epochs(self) -> list[dict[str, float]]:
        return read_history(self.folder / "metrics.csv")

    @property
    def best(self) -> float:
        """The best value of the monitored metric so far; NaN if the job failed or there is none."""
        values = [row[self.monitor] for row in self.epochs if self.monitor in row]
        best = max if best_is(self.monitor) == "max" else min
        return best(values, default=float("nan")) if self.status != "failed" else float("nan")

    def test_scores(self) -> dict[str, float]:
        """The restored images' scores of metrics.json."""
        if not self.tested:
            return {}
        scores: dict[str, float] = json.loads((self.folder / "metrics.json").read_text())["restored"]
        return scores
