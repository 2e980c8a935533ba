"""Runs a module like ``python -m MODULE ARGUMENTS``, in a process that is killed when its parent ends.

Sweeps and trainings on several devices start their processes by ``python -m deblurlab.processes.child``. The parent
holds the other end of this process's standard input and writes nothing to it. The system closes that end when the
parent ends in any way. Without this, a job would continue after its sweep was killed, and conflict with the job of the
next sweep in its folder.
"""

import os
import runpy
import signal
import sys
import threading


def _end_with_parent() -> None:
    # not sys.stdin.read(), which holds a lock that Python needs when it exits
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)


def main() -> None:
    """Run the module that the first argument names, with the other arguments."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _, module, *sys.argv[1:] = sys.argv
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
