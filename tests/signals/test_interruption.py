"""A command that is asked to end tidies up, has the time to stop where it can go on, and ends in any case."""

import signal
import subprocess
import sys

import pytest

from tests.conftest import HANG_SECONDS

HEAD = """
import hashlib, os, signal, sys, time
from deblurlab.signals import interruption
from deblurlab.signals.interruption import Interrupted, asked, finishing_first, leave_if_asked, listening
interruption._TOLD, interruption.PATIENCE, interruption.LIMIT = 1000, 2000, 3000  # longer than any test takes
def ask(number): os.kill(os.getpid(), number); time.sleep(0.05)
def words(number): return f"ended by {number.name}"
"""


def run(body: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", HEAD + body]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"])
def test_a_signal_is_an_exception_that_ends_the_process_with_its_status(name: str) -> None:
    done = run(
        "with listening(words):\n"
        f"    try: ask(signal.{name}); print('not reached')\n"
        "    except Exception: print('taken for an error')\n"
        "    finally: print('tidied up')\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.Signals[name], "tidied up\n", "")


def test_work_that_would_be_lost_stops_by_itself() -> None:
    done = run(
        "with listening(words), finishing_first():\n"
        "    with finishing_first(): ask(signal.SIGTERM)\n"
        "    print(asked().name); leave_if_asked(); print('not reached')\n"
    )
    assert (done.returncode, done.stdout) == (143, "SIGTERM\n")


def test_work_that_is_done_has_stopped() -> None:
    done = run(
        "with listening(words):\n"
        "    with finishing_first(): ask(signal.SIGHUP); print('done')\n"
        "    print('not reached')\n"
    )
    assert (done.returncode, done.stdout) == (129, "done\n")


def test_later_signals_do_not_disturb_the_tidying_up() -> None:
    """A sweep's job gets Ctrl-C from the terminal and SIGTERM from the sweep."""
    done = run(
        "with listening(words):\n"
        "    try: ask(signal.SIGINT)\n"
        "    finally: ask(signal.SIGTERM); ask(signal.SIGTERM); print('tidied up')\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "tidied up\n", "")


def test_a_second_ctrl_c_leaves_at_once() -> None:
    done = run(
        "with listening(words), finishing_first():\n    ask(signal.SIGINT); ask(signal.SIGINT); time.sleep(3600)\n"
    )
    assert (done.returncode, done.stderr) == (130, "ended by SIGINT\n")


def test_work_that_takes_too_long_is_cut_short_and_tidied_up() -> None:
    done = run(
        "interruption._TOLD, interruption.PATIENCE = 0.1, 0.2\n"
        "with listening(words), finishing_first():\n"
        "    try: ask(signal.SIGUSR1); time.sleep(3600)\n"
        "    finally: print('tidied up')\n"
    )
    assert (done.returncode, done.stdout) == (138, "tidied up\n")
    assert done.stderr == "stopping at the next point from which it can continue; Ctrl-C again stops at once\n"


@pytest.mark.parametrize(
    "stuck",
    [
        "time.sleep(3600)",
        "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)",  # in C, where Python attends to no signal
    ],
)
def test_the_process_ends_in_any_case(stuck: str) -> None:
    """Also where somebody swallows the exception, and begins again."""
    done = run(
        "interruption._TOLD, interruption.PATIENCE, interruption.LIMIT = 0.1, 0.2, 0.3\n"
        "with listening(words), finishing_first():\n"
        "    while True:\n"
        f"        try: os.kill(os.getpid(), signal.SIGTERM); {stuck}\n"
        "        except BaseException: pass\n"
    )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (143, "ended by SIGTERM")


def test_what_is_ignored_stays_ignored() -> None:
    done = run(
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\nwith listening(words): ask(signal.SIGHUP); print(asked())\n"
    )
    assert (done.returncode, done.stdout) == (0, "None\n")


def test_afterwards_all_is_as_before() -> None:
    done = run(
        "before = [signal.getsignal(one) for one in interruption.SIGNALS]\n"
        "with listening(words): pass\n"
        "assert before == [signal.getsignal(one) for one in interruption.SIGNALS]\n"
        "assert signal.set_wakeup_fd(-1) == -1\n"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_a_forked_workers_ctrl_c_is_not_the_parents() -> None:
    """The terminal sends it to all of them. Two of them in one process would be a second Ctrl-C."""
    done = run(
        "import warnings; warnings.simplefilter('ignore')\n"  # Python 3.12 warns of forks beside threads
        "here, there = os.pipe()\n"
        "with listening(words), finishing_first():\n"
        "    child = os.fork()\n"
        "    if child == 0: os.write(there, b'.'); time.sleep(0.3); os._exit(7)\n"
        "    os.read(here, 1); os.kill(child, signal.SIGINT); ask(signal.SIGINT); time.sleep(0.2)\n"
        "    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "7\n", "")
