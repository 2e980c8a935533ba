"""The process of a pool ends with its parent, whatever ends it, although it has work for minutes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

PARENT = """
import sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from deblurlab.processes.pool_worker import end_with_parent, killed_on_interruption
from tests.processes.test_pool_worker import work

if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        with killed_on_interruption():
            pool.submit(work, sys.argv[1]).result()
"""


def work(file: str) -> None:
    Path(file).write_text(f"{os.getpid()}\n")
    time.sleep(600)


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return held


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it looks at the processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "SIGKILL"])
def test_the_process_of_a_pool_ends_with_its_parent(number: signal.Signals, tmp_path: Path) -> None:
    script, started = tmp_path / "parent.py", tmp_path / "started"
    script.write_text(PARENT)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, script, started], env=environment, stderr=subprocess.DEVNULL) as parent:
        try:
            assert _within(60, lambda: started.exists() and started.read_text().endswith("\n"))
            parent.send_signal(number)
            assert _within(60, lambda: not _runs(int(started.read_text())))
        finally:
            parent.kill()
            with suppress(OSError, ValueError):
                os.kill(int(started.read_text()), signal.SIGKILL)
