"""How one of several processes tells the command that started it why it failed, so that one error is shown for all."""

import json
import os
from pathlib import Path
from typing import NamedTuple

from deblurlab.files.whole_file import whole_file
from deblurlab.processes.rank import REPORTS, this_rank


class Report(NamedTuple):
    """Why a process has failed.

    Attributes:
        error: A sentence that the user can act on, or a traceback.
        when: When it was written, in nanoseconds. What failed first is the cause of the others.
    """

    error: str
    when: int


def started_by_command() -> bool:
    """Whether a command of deblurlab has started this process and tells the user what happens to it."""
    return REPORTS in os.environ


def leave(error: str) -> None:
    """Write why this process fails."""
    this = this_rank()
    assert this is not None
    with whole_file(_file(Path(os.environ[REPORTS]), this.rank)) as partial:
        partial.write_text(json.dumps({"error": error}))


def read(folder: Path, rank: int) -> Report | None:
    """What a process has left in the folder of reports, if anything."""
    file = _file(folder, rank)
    if not file.is_file():
        return None
    return Report(json.loads(file.read_text())["error"], file.stat().st_mtime_ns)


def _file(folder: Path, rank: int) -> Path:
    return folder / f"rank{rank}.json"
