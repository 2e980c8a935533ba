"""Starts the processes of a training on several devices of this machine, and watches over them.

This process trains nothing. So it is never inside a collective operation, in which a process waits forever if
another one has died.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from deblurlab.processes import error_report
from deblurlab.processes.rank import REPORTS, variables
from deblurlab.signals.interruption import Interrupted

# How long the other processes may take to fail, too, when one has failed; and to end when the first was asked to end.
_SECONDS_TO_FAIL, _SECONDS_TO_END = 2.0, 5.0
_Processes = list["subprocess.Popen[bytes]"]


def run_ranks(
    command: Sequence[str], *, world: int, address: str, port: int, environment: Mapping[str, str], goes_on: str
) -> None:
    """Run a module in several processes until all of them have ended.

    A signal that asks this process to end is passed on to the first of them alone, which tells the others at a point
    at which all can stop. They are in a session of their own, where the Ctrl-C of a terminal does not reach them.

    Args:
        command: A module of Python and its arguments.
        world: How many processes.
        address: Where they meet; see :func:`~deblurlab.processes.rank.variables`.
        port: The port there.
        environment: Their variables, to which those are added that tell a process which one it is.
        goes_on: How to go on after a crash, for the error.

    Raises:
        ValueError: if one of them fails, with its error. The others are killed.
        Interrupted: if a signal has ended them.
    """
    with TemporaryDirectory(prefix="deblurlab-ranks-") as folder, ExitStack() as stack:
        processes: _Processes = []
        stack.callback(_kill, processes)  # runs after the pipes below have closed, which ends them, too
        for rank in range(world):
            own = variables(rank, world, address=address, port=port) | {REPORTS: folder}
            process = subprocess.Popen(
                [sys.executable, "-m", "deblurlab.processes.child", *command],
                stdin=subprocess.PIPE,
                env={**environment, **own},
                start_new_session=True,
            )
            processes.append(process)
        try:
            failed = _wait(processes)
        except Interrupted as interrupted:
            _pass_on(interrupted.signal, processes)
            raise
        if failed:
            raise ValueError(_why(failed, Path(folder), world, goes_on))


def _wait(processes: _Processes) -> dict[int, int]:
    """Wait until all processes have ended, or one has failed and the others had time to tell why they do.

    Returns:
        The exit status of each process that has failed.
    """
    deadline = float("inf")
    while time.monotonic() < deadline:
        statuses = {rank: process.poll() for rank, process in enumerate(processes)}
        if None not in statuses.values():
            break
        if deadline == float("inf") and any(statuses.values()):
            deadline = time.monotonic() + _SECONDS_TO_FAIL
        time.sleep(0.05)
    return {rank: process.poll() for rank, process in enumerate(processes) if process.poll()}  # type: ignore[misc]


def _pass_on(number: signal.Signals, processes: _Processes) -> None:
    """Ask the first process to end, and wait for it as long as this process itself may take."""
    first, *others = processes
    first.send_signal(number)
    first.wait()
    deadline = time.monotonic() + _SECONDS_TO_END
    while time.monotonic() < deadline and any(one.poll() is None for one in others):
        time.sleep(0.05)


def _kill(processes: _Processes) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.kill()
        process.wait()


def _why(failed: Mapping[int, int], folder: Path, world: int, goes_on: str) -> str:
    """The error of the process that failed first.

    A process that a signal has killed left no report, and those of the others are about its silence.
    """
    for rank, status in failed.items():
        if status < 0:
            name = signal.Signals(-status).name
            more = " (perhaps for lack of memory)" if name == "SIGKILL" else ""
            return f"process {rank + 1} of {world} was killed by {name}{more}: {goes_on}."
    reports = [left for rank in failed if (left := error_report.read(folder, rank))]
    if reports:
        return min(reports, key=lambda left: left.when).error
    rank, status = next(iter(failed.items()))
    return f"process {rank + 1} of {world} ended with status {status}: {goes_on}."
