"""Detects that a folder to which a command writes has vanished, for example because a disk was unplugged.

If the folder were made again, it would only have the later files: a run would end normally without its checkpoints.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_written: list[set[Path]] = []  # the folders that each running command has written to; there may be no command


@contextmanager
def vanishing_told() -> Iterator[None]:
    """While the body runs, :func:`require_there` raises an error for folders that were written to and have vanished."""
    _written.append(set())
    try:
        yield
    finally:
        _written.pop()


def written_to(folder: Path) -> None:
    """Record that a file has been written to a folder."""
    for folders in _written:
        folders.add(folder.absolute())


def require_there(folder: Path) -> None:
    """Raise FileNotFoundError if ``folder`` or one of its parents has been written to and has vanished.

    The error names the highest of them.
    """
    folder = folder.absolute()
    for one in (*reversed(folder.parents), folder):
        if any(one in folders for folders in _written) and not one.is_dir():
            raise FileNotFoundError(errno.ENOENT, "the folder has vanished while it was written to", str(one))
