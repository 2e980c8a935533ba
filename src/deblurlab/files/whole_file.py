"""Replaces a file in one step: it always has either the complete old content or the complete new content."""

import errno
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from deblurlab.files.vanished import require_there, written_to

if sys.platform != "win32":
    import fcntl

# File systems allow names of 255 bytes (eCryptfs 143). The partial file of a longer name is named by a hash instead.
_LONGEST_SPELT_NAME = 100


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield another path to write to, and move that file to ``path`` at the end of the body::

        with whole_file(folder / "metrics.json") as partial:
            partial.write_text(text, encoding="utf-8")

    The partial file is in the same folder and named ``.NAME.partial``. It is flushed to the disk before it is renamed,
    so that even a power cut leaves no half-written file. If the body raises an error, the partial file is removed and
    ``path`` is not changed. The next writer of ``path`` removes a partial file that a killed process has left. If two
    processes write ``path`` at the same time, one waits for the other (but not on Windows).

    Args:
        path: The file to write. Its folder is made if it does not exist, unless the same command has written to it
            before. An existing file is replaced; the new one gets the permissions of a new file.

    Yields:
        The path to write to, an empty file. If the body removes it, it must write it again.

    Raises:
        OSError: If it cannot be written, because of a full disk, a quota, or a folder that has vanished. The message
            names the file. Errors of libraries that have such a cause become an OSError.
    """
    path = Path(path)
    require_there(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(_partial_name(path.name))
    with _opened_alone(partial):
        try:
            partial.write_bytes(b"")  # it may have content of a killed process
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


def write_whole(path: str | Path, text: str) -> None:
    """Write a text, in UTF-8, by means of :func:`whole_file`."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_whole_json(path: str | Path, content: Any) -> None:
    """:func:`write_whole` of JSON that people can read, such as metrics.json."""
    write_whole(path, json.dumps(content, indent=2) + "\n")


def require_writable(folder: Path) -> None:
    """Check that files can be made in a folder, before the work whose results will be written there.

    This creates nothing permanent. If the folder does not exist, its nearest existing parent is checked instead.

    Raises:
        OSError: If its disk is full or read-only, it belongs to another user, or it is a file. The message names the
            folder.
    """
    try:
        nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error


def remove_partials(*folders: Path) -> None:
    """Remove the partial files of killed processes from folders to which no living process writes."""
    for folder in folders:
        for partial in folder.glob(".*.partial"):
            partial.unlink(missing_ok=True)


# Errors that do not depend on the content that is written.
_FAILURES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.ENODEV, errno.ESTALE}
_IN_RUST = re.compile(r"\(os error (\d+)\)")  # the end of messages of Rust's libraries, such as safetensors


def _failed_write(error: BaseException | None) -> int | None:
    """The errno of a failed write that caused an error, which libraries such as torch replace by their own error."""
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        if match := _IN_RUST.search(str(error)):
            number = int(match[1])
        if number in _FAILURES:
            return number
        error = error.__cause__ or error.__context__
    return None


def _partial_name(name: str) -> str:
    """The name of the partial file: the same for each writer, and never too long if ``name`` is not."""
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
        stream.close()  # while this process waited for the lock, another writer has renamed the file
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
