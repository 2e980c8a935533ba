"""Error reports of several processes for the command that started them, which prints only the first error."""

import json
import os
from pathlib import Path
from typing import NamedTuple

from deblurlab.files.whole_file import write_whole_json
from deblurlab.processes.rank import REPORTS, this_rank


class Report(NamedTuple):
    """The error of a process.

    Attributes:
        error: A message for the user, or a traceback.
        when: The time when it was written, in nanoseconds. The first failure is the cause of the others.
    """

    error: str
    when: int


def started_by_command() -> bool:
    """Whether a command of deblurlab has started this process, and prints its error."""
    return REPORTS in os.environ


def leave(error: str) -> None:
    """Write the error of this process."""
    this = this_rank()
    assert this is not None
    write_whole_json(_file(Path(os.environ[REPORTS]), this.rank), {"error": error})


def read(folder: Path, rank: int) -> Report | None:
    """The report of a process in the folder of reports; None if there is none."""
    file = _file(folder, rank)
    if not file.is_file():
        return None
    return Report(json.loads(file.read_text(encoding="utf-8"))["error"], file.stat().st_mtime_ns)


def _file(folder: Path, rank: int) -> Path:
    return folder / f"rank{rank}.json"
