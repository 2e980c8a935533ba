"""Replaces a folder of files in one step, so that it is never half-written."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to write to, and move it to ``path`` at the end of the body.

    The folder has the same parent and is named ``.NAME.partial``. If the body raises an error, it is removed, and
    ``path`` is not changed. The next writer of ``path`` removes a folder that a killed process has left. If two
    processes write ``path`` at the same time, one waits for the other.

    Args:
        path: The folder to write. It is replaced if it exists.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, before = (path.with_name(f".{path.name}.{what}") for what in ("partial", "before"))
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    with suppress(NotImplementedError):  # some network file systems cannot lock
        lock.acquire()
    try:
        if before.exists() and not path.exists():  # a process was killed between the two renames below
            before.rename(path)
        _remove(partial)
        partial.mkdir()
        yield partial
        _remove(before)
        if path.exists():
            path.rename(before)
        partial.rename(path)
        _remove(before)
    finally:
        _remove(partial)
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _remove(folder: Path) -> None:
    if os.path.lexists(folder):
        shutil.rmtree(folder)
