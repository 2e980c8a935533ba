"""Files in a folder or in a bucket: tried again when the network fails, and written all or nothing."""

import logging
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pyarrow import fs

from deblurlab.files.whole_file import whole_file

log = logging.getLogger(__name__)

T = TypeVar("T")

_CHUNK = 8 << 20
# Seconds before each new try. pyarrow itself tries single requests again; this outlasts an outage of half a minute.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


def patiently(action: Callable[[], T], what: str) -> T:
    """Calls ``action``, and calls it again after a pause when the network fails.

    Args:
        action: What to do.
        what: What to call it in messages.

    Raises:
        FileNotFoundError: at once, if a file is missing.
        ValueError: at once for other errors that no network mends, or if the last try failed.
    """
    for pause in (*PAUSES, None):
        try:
            return action()
        except FileNotFoundError:
            raise
        except (NotADirectoryError, IsADirectoryError, PermissionError) as error:
            raise ValueError(f"{what} failed: {error}") from error
        except OSError as error:
            if pause is None:
                raise ValueError(f"{what} failed {len(PAUSES) + 1} times: {error}") from error
            log.warning(f"{what} failed ({str(error)[:200]}), trying again in {pause:g} s.")
            time.sleep(pause)
    raise AssertionError


class Storage:
    """The files below a root. Their names are relative to it, with slashes.

    Args:
        root: A folder, or a URL that pyarrow opens: ``gs://bucket/path``, ``s3://bucket/path``.

    Raises:
        ValueError: if pyarrow does not know such a URL.
    """

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        self.filesystem: fs.FileSystem = fs.LocalFileSystem()
        self.base = str(Path(root).expanduser().absolute())
        if "://" in root:
            try:
                self.filesystem, self.base = fs.FileSystem.from_uri(root)
            except (ValueError, OSError) as error:
                raise ValueError(f"{self.names('')} cannot be opened: {error}") from error
        self.local = isinstance(self.filesystem, fs.LocalFileSystem)

    def path(self, name: str) -> str:
        """The path of a file in ``filesystem``: without a URL's scheme."""
        return f"{self.base}/{name}"

    def names(self, name: str) -> str:
        """A file as the user would write it, for messages: without a URL's options and keys."""
        return re.sub("//[^/@]*@", "//", f"{self.root.partition('?')[0]}/{name}").removesuffix("/")

    def size(self, name: str) -> int | None:
        """The size of a file in bytes; None if there is no such file."""
        info = patiently(lambda: self.filesystem.get_file_info(self.path(name)), f"Looking for {self.names(name)}")
        return int(info.size) if info.type == fs.FileType.File else None

    def read(self, name: str) -> bytes:
        """The content of a small file; FileNotFoundError if there is no such file."""

        def action() -> bytes:
            with self.filesystem.open_input_stream(self.path(name)) as stream:
                return bytes(stream.read())

        return patiently(action, f"Reading {self.names(name)}")

    def remove(self, name: str) -> None:
        """Deletes a file if it is there."""
        if self.size(name) is not None:
            patiently(lambda: self.filesystem.delete_file(self.path(name)), f"Deleting {self.names(name)}")

    def fetch(self, name: str, target: Path) -> None:
        """Copies a file to a local one, chunk by chunk. It tries once and raises what pyarrow raises."""
        with self.filesystem.open_input_stream(self.path(name)) as stream, target.open("wb") as file:
            while chunk := stream.read(_CHUNK):
                file.write(chunk)

    def store(self, name: str, source: Path) -> None:
        """Copies a local file to the storage.

        In a folder, the whole new file stands under its name or what stood there before. In a bucket, a broken upload
        may leave the beginning of the file, so whoever reads it must check its size.
        """
        if self.local:
            with whole_file(self.path(name)) as partial:
                shutil.copyfile(source, partial)
            return

        def action() -> None:
            with source.open("rb") as file, self.filesystem.open_output_stream(self.path(name)) as stream:
                while chunk := file.read(_CHUNK):
                    stream.write(chunk)

        patiently(action, f"Writing {self.names(name)}")
