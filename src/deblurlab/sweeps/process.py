"""Runs the training of a job in a separate process, so that a crash does not affect the other jobs."""

import logging
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from deblurlab.files.whole_file import write_whole
from deblurlab.run.run_folder import RunFolder

log = logging.getLogger(__name__)

_KEPT_LINES = 80
_SECONDS_TO_END = 30  # a training needs less to save a checkpoint and end


def never() -> bool:
    """Return False: do not prune."""
    return False


def run_process(command: Sequence[str], folder: Path, *, should_prune: Callable[[], bool] = never) -> str:
    """Run a job's command and print its output, each line with the job's name before it.

    The process is killed when this one ends in any way: see :mod:`~deblurlab.processes.child`.

    Args:
        command: A module of Python and its arguments.
        folder: The job's folder. If the job fails, ``failure.txt`` there has the reason and the last lines it printed.
        should_prune: Called after each line. If it returns True, the job is ended.

    Returns:
        How the job ended: ``finished``, ``pruned`` or ``failed``.
    """
    files = RunFolder(folder)
    files.failure_file.unlink(missing_ok=True)
    ended = _run(command, folder, should_prune)
    if ended.pruned:
        log.info(f"{folder.name}: pruned")
        return "pruned"
    if ended.status == 0 and files.scores_file.is_file():
        return "finished"
    killed = ended.status < 0
    end = f"killed by {signal.Signals(-ended.status).name}" if killed else f"exit status {ended.status}"
    write_whole(files.failure_file, f"{end}\n\n{''.join(ended.last_lines)}")
    log.error(f"{folder.name}: {end}; the others continue. See {files.failure_file}")
    return "failed"


class _Ended(NamedTuple):
    """The end of a process: its exit status, whether it was pruned, and the last lines that it printed."""

    status: int
    pruned: bool
    last_lines: Sequence[str]


def _run(command: Sequence[str], folder: Path, should_prune: Callable[[], bool]) -> _Ended:
    environment = os.environ | {
        "WANDB_RUN_GROUP": folder.parent.name,
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }
    last_lines: deque[str] = deque(maxlen=_KEPT_LINES)
    pruned = False
    with subprocess.Popen(
        [sys.executable, "-m", "deblurlab.processes.child", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",  # libraries in C may print anything
        env=environment,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last_lines.append(line)
                print(f"{folder.name} | {line}", end="", file=sys.stderr, flush=True)
                if not pruned and should_prune():
                    pruned = True
                    process.terminate()
        except BaseException:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SECONDS_TO_END)  # then leaving the block closes its standard input, which kills it
            raise
    return _Ended(process.returncode, pruned, last_lines)
