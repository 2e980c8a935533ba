"""Refuses what has the name of a file and cannot be read as one, such as a link that leads nowhere or a named pipe."""

import os
import stat
from pathlib import Path

_OTHERS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def require_file(file: Path) -> None:
    """Check before a file is opened that it is one. To open a named pipe would wait until another program writes to it.

    Raises:
        ValueError: If it is something else, or a symbolic link that leads nowhere, or nothing can be known of it. The
            message names it.
    """
    try:
        kind = stat.S_IFMT(file.stat().st_mode)
    except OSError as error:
        if os.path.islink(file):  # noqa: PTH114  # Path.is_symlink raises an error in a folder that may not be entered
            raise ValueError(
                f"{file} is a symbolic link to {file.readlink()}, which cannot be opened ({error.strerror}). Mend the "
                "link or remove it."
            ) from error
        raise ValueError(f"{file} cannot be read ({error.strerror}).") from error
    if kind in _OTHERS:
        raise ValueError(f"{file} is {_OTHERS[kind]}, not a file.")


def is_lost_link(path: Path) -> bool:
    """Whether a path is a symbolic link that leads nowhere, or to a place that may not be looked at."""
    return os.path.islink(path) and not os.path.exists(path)  # noqa: PTH110, PTH114  # these two raise no errors
