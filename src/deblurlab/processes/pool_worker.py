"""Ends the processes of a ``ProcessPoolExecutor`` with their parent, which by itself waits for them to finish."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def end_with_parent() -> None:
    """End this process as soon as its parent ends in any way. For the executor's ``initializer``."""
    threading.Thread(target=_end_after_parent, daemon=True).start()


def _end_after_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextmanager
def killed_on_interruption() -> Iterator[None]:
    """Kill the processes of multiprocessing if the body is interrupted, by Ctrl-C or another signal."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        for child in multiprocessing.active_children():
            child.kill()
        raise
