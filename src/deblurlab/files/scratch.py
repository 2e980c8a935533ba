"""Temporary folders that are removed afterwards, even if their process was killed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX, _LOCK = "deblurlab-", "in_use.lock"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder in the system's temporary folder. Those that killed processes have left there are removed.

    Each contains a lock file, whose lock ends with its process. Folders without a lock file are not touched.
    """
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            with FileLock(lock, timeout=0):
                shutil.rmtree(lock.parent, ignore_errors=True)
        except (Timeout, OSError):  # in use, or another user's
            continue
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder, FileLock(Path(folder) / _LOCK):
        yield Path(folder)
