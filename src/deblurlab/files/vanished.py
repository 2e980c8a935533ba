"""Notices when a folder that a command writes to vanishes, for example because a disk is unplugged.

If it were made again, it would hold only what is written later: a run would end well without its checkpoints.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_written: list[set[Path]] = []  # one set of folders for each command that is running; there may be none


@contextmanager
def vanishing_told() -> Iterator[None]:
    """In the body, a folder that was written to and is gone is an error of :func:`require_there`."""
    _written.append(set())
    try:
        yield
    finally:
        _written.pop()


def written_to(folder: Path) -> None:
    """Remember a folder that a file has been written to."""
    for folders in _written:
        folders.add(folder.absolute())


def require_there(folder: Path) -> None:
    """Raise FileNotFoundError if ``folder``, or one that it lies in, has been written to and is gone."""
    folder = folder.absolute()
    for one in (folder, *folder.parents):
        if any(one in folders for folders in _written) and not one.is_dir():
            raise FileNotFoundError(errno.ENOENT, "the folder has vanished while it was written to", str(one))
