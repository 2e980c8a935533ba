"""Replaces a file in one step: it always has either the complete old content or the complete new content."""

import errno
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter
from pathlib import Path
from tempfile import TemporaryFile

from deblurlab.files.vanished import require_there, written_to

if sys.platform != "win32":
    import fcntl

# File systems allow 255 bytes (eCryptfs 143). Longer names are not spelt out in the name of their partial file.
_LONGEST_SPELT_NAME = 100


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give the body another path to write to, and move that file to ``path`` when the body has ended::

        with whole_file(folder / "metrics.json") as partial:
            partial.write_text(text)

    The partial file lies beside ``path`` and is called ``.NAME.partial``. It is flushed to the disk before it gets
    its name, so that even a power cut leaves no half-written file. When the body raises, the partial file is removed
    and ``path`` stays as it was. What a killed process left of its partial file, the next writer of ``path`` removes.
    When two processes write ``path`` at the same time, one waits for the other (but not on Windows).

    Args:
        path: The file to write. Its folder is made if it does not exist, unless the same command has written to it
            before. The file may exist already; it gets the permissions of a new file.

    Yields:
        The path to write to: an empty file. The body must not remove it without writing it again.

    Raises:
        OSError: naming the file, if it cannot be written: a full disk, a quota, a folder that has vanished. Errors of
            libraries that write in their own way become one.
    """
    path = Path(path)
    require_there(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(_partial_name(path.name))
    with _opened_alone(partial):
        try:
            partial.write_bytes(b"")  # it may hold what a killed process left
            yield partial
            with partial.open("rb+") as written:
                os.fsync(written.fileno())
            partial.replace(path)
            written_to(path.parent)
        except BaseException as error:
            with suppress(OSError):  # the folder may have vanished, or its disk
                partial.unlink(missing_ok=True)
            if isinstance(error, Exception) and (why := _failed_write(error)):
                raise OSError(why, os.strerror(why), str(path)) from error
            raise


def require_writable(folder: Path) -> None:
    """Refuse a folder in which no file can be made, before the work whose results are to go there.

    Nothing is left behind: a folder that does not exist yet is not made, and the folder in which it would be is tried.

    Raises:
        OSError: naming the folder: its disk is full or cannot be written, it belongs to someone else, or it is a file.
    """
    try:
        nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error


def remove_partials(*folders: Path) -> None:
    """Remove what killed processes have left in folders that no living process writes to."""
    for folder in folders:
        for partial in folder.glob(".*.partial"):
            partial.unlink(missing_ok=True)


# Why a file cannot be written, whatever is written to it.
_FAILURES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.ENODEV, errno.ESTALE}
_IN_RUST = re.compile(r"\(os error (\d+)\)")  # how Rust's libraries, such as safetensors, end their messages


def _failed_write(error: BaseException | None) -> int | None:
    """The system's number of the failure behind an error; torch, for one, lets its own error follow on it."""
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        if told := _IN_RUST.search(str(error)):
            number = int(told[1])
        if number in _FAILURES:
            return number
        error = error.__cause__ or error.__context__
    return None


def _partial_name(name: str) -> str:
    """The same partial name for each writer of a file, and never too long for a file system that takes ``name``."""
    if len(os.fsencode(name)) > _LONGEST_SPELT_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return f".{name}.partial"


@contextmanager
def _opened_alone(partial: Path) -> Iterator[None]:
    """Create ``partial`` unless it exists, and lock it. The lock of a killed process ends with the process."""
    if sys.platform == "win32":
        yield
        return
    while True:
        stream = partial.open("ab")
        _lock(stream)
        if _is_at(stream, partial):
            break
        stream.close()  # while we waited for the lock, the other writer gave the file its name
    with stream:
        yield


def _lock(stream: BufferedWriter) -> None:
    with suppress(OSError):  # some network file systems cannot lock
        fcntl.flock(stream, fcntl.LOCK_EX)


def _is_at(stream: BufferedWriter, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False
