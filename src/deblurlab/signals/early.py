"""Handles Ctrl-C while a command is still being imported: one line and its exit status instead of a traceback.

The package imports this file first. It does nothing if another program imports deblurlab.
"""

import os
import signal
import sys
from types import FrameType


def is_command(program: str, line: list[str]) -> bool:
    """Whether Python runs a command of deblurlab: ``python -m deblurlab.X``, or the script ``deblurlab``.

    Args:
        program: ``sys.argv[0]``, which is ``-m`` while Python looks for the module of ``python -m``.
        line: The whole command line with the interpreter, ``sys.orig_argv``.
    """
    if program == "-m":
        return line[line.index("-m") + 1].partition(".")[0] == "deblurlab"
    return program.replace("\\", "/").rpartition("/")[2].partition(".")[0] == "deblurlab"


def leave_in_one_line() -> None:
    """Handle Ctrl-C until :func:`deblurlab.signals.interruption.listening` does."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored or handled by others
        signal.signal(signal.SIGINT, _leave)


def _leave(number: int, _: FrameType | None) -> None:
    os.write(2, b"interrupted (Ctrl-C).\n")
    os._exit(128 + number)


if is_command(sys.argv[0], sys.orig_argv):
    leave_in_one_line()
