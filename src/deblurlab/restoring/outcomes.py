"""Records the outcome of each file of a call of ``restore``. An error of one file does not affect the others."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from deblurlab.restoring.jobs import Job, Remark

log = logging.getLogger(__name__)

# How to treat a file that already exists where a restored one would be written.
Existing = Literal["refuse", "skip", "overwrite"]


class Outcomes:
    """Decides which jobs are done, and counts their outcomes::

        outcomes = Outcomes(jobs, compare=False, existing="skip")
        for job in jobs:
            if outcomes.wants(job):
                with outcomes.of(job):
                    ...
        outcomes.tell()

    Existing files are found before the first job. A file that appears later belongs to another run that writes to the
    same folder; it is not overwritten, and does not count as a failure.

    Args:
        jobs: All jobs of the call.
        compare: Whether comparisons are written, too.
        existing: "refuse" and "skip" do not overwrite existing files, and "refuse" ends in an error; "overwrite"
            replaces them.
    """

    def __init__(self, jobs: Sequence[Job], *, compare: bool, existing: Existing) -> None:
        self._jobs, self._existing = jobs, existing
        # A comparison is written before its picture: after an interruption, a job with only a comparison is not done.
        checks_comparison = compare and existing == "refuse"
        self._there = {job for job in jobs if job.target.exists() or (checks_comparison and job.comparison.exists())}
        self._left: list[Job] = []
        self._failed = 0
        self._hardly_blurred = 0
        self._words = ""

    def expects(self, job: Job) -> bool:
        """Whether ``job`` will probably be done, before its turn comes."""
        return self._existing == "overwrite" or not job.target.exists()

    def wants(self, job: Job) -> bool:
        """Whether to do ``job``, whose turn it is. If not, the job is counted as left out."""
        if self._existing != "overwrite" and job in self._there:
            self._left.append(job)
            return False
        if not self.expects(job):
            log.info(f"{job.target} is another run's, which writes to the same folder: it is left as it is")
            return False
        return True

    @contextmanager
    def of(self, job: Job) -> Iterator[None]:
        """Record the outcome of the body, which does ``job``. Errors are logged and not raised."""
        self._words = ""
        try:
            yield
            log.info(f"{job.source} -> {job.target}{self._words and f' ({self._words})'}")
        except Exception as error:
            self._failed += 1
            log.error(described(error, job), exc_info=os.environ.get("HYDRA_FULL_ERROR") == "1")

    def remark(self, remark: Remark) -> None:
        """Record a remark about the job that has just been done."""
        self._words = remark.words
        self._hardly_blurred += remark.hardly_blurred

    def tell(self) -> None:
        """Log how many pictures had hardly any blur, and how many files were left out.

        Raises:
            ValueError: If a file that should have been restored was not.
        """
        count = len(self._jobs)
        if self._hardly_blurred and count > 1:
            log.info(f"{self._hardly_blurred} of {count} had hardly any blur, judging by their edges")
        if self._left and self._existing == "skip":
            log.info(f"{_were(len(self._left), count)} restored already, first {self._left[0].target}")
        reasons = [f"{_were(self._failed, count)} not restored: see above."] if self._failed else []
        if self._left and self._existing == "refuse":
            reasons.append(
                f"{_were(len(self._left), count)} not restored, because of what is there already, first "
                f"{self._left[0].target}: existing=skip passes over such files, existing=overwrite replaces them."
            )
        if reasons:
            raise ValueError(" ".join(reasons))


def _were(number: int, count: int) -> str:
    return f"{number} of {count} {'was' if number == 1 else 'were'}"


def described(error: Exception, job: Job) -> str:
    """Describe an error in one line, with the file and, unless it is a ValueError or OSError, the type."""
    words = next(iter(str(error).splitlines()), "") or type(error).__name__
    if not isinstance(error, ValueError | OSError) and type(error).__name__ not in words:
        words = f"{type(error).__name__}: {words}"
    return words if str(job.source) in words else f"{job.source}: {words}"
