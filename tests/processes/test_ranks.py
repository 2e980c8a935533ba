"""Processes that fail, end and are ended: the one that failed first speaks for all."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deblurlab.processes.ranks import run_ranks
from tests.conftest import HANG_SECONDS, ROOT

# What the processes do, by their number: a module of its own, as quick to start as Python.
PLAYERS = """
import os, sys, time
from deblurlab.processes import error_report
rank, part = int(os.environ["RANK"]), sys.argv[1]
open(f"pid{rank}", "w").write(str(os.getpid()))
if part == "one fails" and rank == 1:
    error_report.leave("frame 3 is damaged")
    sys.exit(1)
if part == "one fails":
    while not os.path.exists(os.path.join(os.environ["DEBLURLAB_REPORTS"], "rank1.json")):
        time.sleep(0.01)
    time.sleep(0.05)
    error_report.leave("the connection was closed")
    sys.exit(1)
if part == "one dies":
    while rank and not (os.path.exists("pid0") and open("pid0").read()):
        time.sleep(0.01)
    time.sleep(0 if rank else 3600)
    os.kill(os.getpid(), 9)
if part == "wait":
    time.sleep(3600)
"""


@pytest.fixture
def players(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "players.py").write_text(PLAYERS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(part: str) -> None:
    path = os.pathsep.join((".", os.environ.get("PYTHONPATH", "")))
    run_ranks(
        ["players", part],
        world=2,
        address="127.0.0.1",
        port=1,
        environment=os.environ | {"PYTHONPATH": path},
        advice="go on",
    )


def alive(folder: Path, rank: int) -> bool:
    try:
        os.kill(int((folder / f"pid{rank}").read_text()), 0)
    except ProcessLookupError:
        return False
    return True


def test_all_end_well(players: Path) -> None:
    run("nothing")
    assert not alive(players, 0)


def test_the_first_error_is_told_and_not_the_others_loss_of_a_peer(players: Path) -> None:
    with pytest.raises(ValueError, match=r"^frame 3 is damaged$"):
        run("one fails")


def test_a_process_that_is_killed_ends_the_others(players: Path) -> None:
    with pytest.raises(
        ValueError, match=r"^process 2 of 2 was killed by SIGKILL \(perhaps for lack of memory\): go on\.$"
    ):
        run("one dies")
    assert not alive(players, 0)


def test_they_end_with_the_process_that_started_them(players: Path) -> None:
    code = "from tests.processes.test_ranks import run; run('wait')"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))}
    deadline = time.monotonic() + HANG_SECONDS
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as parent:
        try:
            pids = [players / f"pid{rank}" for rank in (0, 1)]
            while not all(pid.exists() and pid.read_text() for pid in pids):
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            parent.kill()
    while alive(players, 0) or alive(players, 1):
        assert time.monotonic() < deadline
        time.sleep(0.02)
