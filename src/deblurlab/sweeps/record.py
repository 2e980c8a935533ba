"""The record that a sweep keeps of a job: the file job.json in the folder of the run."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deblurlab.files.whole_file import write_whole_json
from deblurlab.metrics.scores import best_is
from deblurlab.run.history import read_history
from deblurlab.run.results import read_scores
from deblurlab.run.run_folder import RunFolder


@dataclass(kw_only=True)
class Record:
    """A job of a sweep.

    Attributes:
        folder: The run's folder.
        monitor: The metric that ranks the runs, a column of the run's history.
        swept: The overrides that distinguish this job from the others, and the values that a search drew for it.
        overrides: All overrides of the command line.
        status: ``running`` (or killed while it ran), ``finished``, ``pruned``, ``failed`` or, in a search,
            ``diverged``.
    """

    folder: Path
    monitor: str
    swept: dict[str, Any]
    overrides: list[str]
    status: str

    @classmethod
    def read(cls, folder: Path) -> "Record | None":
        """The record of the job in ``folder``; None if there is none.

        Raises:
            ValueError: If it is damaged; the message names the file.
        """
        file = RunFolder(folder).job_file
        if not file.is_file():
            return None
        try:
            return cls(folder=folder, **json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{file} is damaged ({error}). Delete the folder {folder} to run this job again."
            ) from error

    def write(self) -> None:
        """Write the record into the run's folder."""
        content = {name: getattr(self, name) for name in ("monitor", "swept", "overrides", "status")}
        write_whole_json(self.files.job_file, content)

    @property
    def files(self) -> RunFolder:
        """The files of the run."""
        return RunFolder(self.folder)

    @property
    def tested(self) -> bool:
        """Whether the run has been tested, which means that it is finished."""
        return self.files.scores_file.is_file()

    @property
    def epochs(self) -> list[dict[str, float]]:
        """The history of the run: the metrics of each epoch."""
        return read_history(self.files.history_file)

    @property
    def best(self) -> float:
        """The best value of the monitored metric so far; NaN if the job failed, diverged or has no value yet."""
        values = [row[self.monitor] for row in self.epochs if self.monitor in row]
        best = max if best_is(self.monitor) == "max" else min
        return best(values, default=float("nan")) if self.status not in ("failed", "diverged") else float("nan")

    def test_scores(self) -> dict[str, float]:
        """The mean test scores of the restored images, by name; empty before the test."""
        if not self.tested:
            return {}
        scores: dict[str, float] = read_scores(self.files.scores_file)["restored"]
        return scores
