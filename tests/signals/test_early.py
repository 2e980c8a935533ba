"""Ctrl-C in the first moments of a command, before it attends to signals in its own way."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deblurlab.signals.early import is_command
from tests.conftest import HANG_SECONDS


@pytest.mark.parametrize(
    ("program", "line", "ours"),
    [
        ("-m", "python -m deblurlab.train seed=1", True),
        ("-m", "python -X dev -m deblurlab train", True),
        ("/venv/bin/deblurlab", "python /venv/bin/deblurlab train", True),
        ("C:\\venv\\deblurlab.exe", "python C:\\venv\\deblurlab.exe train", True),
        ("-m", "python -m other -m deblurlab", False),
        ("-c", "python -c pass -m deblurlab", False),
        ("mine.py", "python mine.py -m deblurlab", False),
        ("", "python", False),
    ],
)
def test_which_programs_are_commands(program: str, line: str, ours: bool) -> None:
    assert is_command(program, line.split()) is ours


@pytest.mark.parametrize("command", ["deblurlab", "deblurlab.restore"])
def test_ctrl_c_while_a_command_is_imported_is_one_line(command: str, tmp_path: Path) -> None:
    """The first library that a command imports sends the signal itself."""
    library = "difflib" if command == "deblurlab" else "omegaconf"
    (tmp_path / f"{library}.py").write_text("import os, time\nos.kill(os.getpid(), 2)\ntime.sleep(5)")
    path = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
    done = subprocess.run(
        [sys.executable, "-m", command],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, "", "interrupted (Ctrl-C).\n")


def test_importing_deblurlab_changes_no_signal_of_another_program() -> None:
    program = "import signal, deblurlab; assert signal.getsignal(2) is signal.default_int_handler"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=HANG_SECONDS).returncode == 0
