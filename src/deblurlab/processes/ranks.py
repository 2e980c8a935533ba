"""Starts the processes of a training on several devices of this machine, and watches them.

This process itself does not train, so it is never inside a collective operation, in which a process waits forever if
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

# Seconds for the other processes to fail, too, after one has failed; and to end after the first one has ended.
_SECONDS_TO_FAIL, _SECONDS_TO_END = 2.0, 5.0
_Processes = list["subprocess.Popen[bytes]"]


def run_ranks(
    command: Sequence[str], *, world: int, address: str, port: int, environment: Mapping[str, str], advice: str
) -> None:
    """Run a module in several processes until all of them have ended.

    A signal that asks this process to end is passed on to the first of them only, which agrees with the others on a
    point at which all can stop. Each is in its own session, so that the Ctrl-C of a terminal does not reach it.

    Args:
        command: A module of Python and its arguments.
        world: The number of processes.
        address: The address at which they meet; see :func:`~deblurlab.processes.rank.variables`.
        port: The port at that address.
        environment: Their environment variables, to which those for the rank are added.
        advice: How to continue after a crash, for the error.

    Raises:
        ValueError: If one of them fails, with its error. The others are killed.
        Interrupted: If a signal has ended them.
    """
    with TemporaryDirectory(prefix="deblurlab-ranks-") as folder, ExitStack() as stack:
        processes: _Processes = []
        stack.callback(_kill, processes)
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
            raise ValueError(_why(failed, Path(folder), world, advice))


def _wait(processes: _Processes) -> dict[int, int]:
    """Wait until all processes have ended, or one has failed and the others had time to report their errors.

    Returns:
        The exit status of each process that has failed, by its rank.
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
    """Pass a signal on to the first process, and wait until it has ended; then give the others some seconds."""
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


def _why(failed: Mapping[int, int], folder: Path, world: int, advice: str) -> str:
    """The error of the process that failed first.

    A process that was killed by a signal has left no report, and those of the others only say that it is gone.
    """
    for rank, status in failed.items():
        if status < 0:
            name = signal.Signals(-status).name
            more = " (perhaps for lack of memory)" if name == "SIGKILL" else ""
            return f"process {rank + 1} of {world} was killed by {name}{more}: {advice}."
    reports = [left for rank in failed if (left := error_report.read(folder, rank))]
    if reports:
        return min(reports, key=lambda left: left.when).error
    rank, status = next(iter(failed.items()))
    return f"process {rank + 1} of {world} ended with status {status}: {advice}."
