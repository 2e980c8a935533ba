"""A folder on disk or in a bucket: small whole files, read with patience and written all or nothing."""

import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pyarrow import fs

log = logging.getLogger(__name__)

T = TypeVar("T")

_CHUNK = 8 << 20
# Seconds before each new try. The SDK below retries single requests; this outlasts an outage of half a minute.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


def patiently(action: Callable[[], T], what: str) -> T:
    """Do it, again after a pause if the network fails; ValueError if it never works. A missing file raises at once."""
    for pause in (*PAUSES, None):
        try:
            return action()
        except FileNotFoundError:
            raise
        except (NotADirectoryError, IsADirectoryError, PermissionError) as error:  # no network mends these
            raise ValueError(f"{what} failed: {error}") from error
        except OSError as error:
            if pause is None:
                raise ValueError(f"{what} failed {len(PAUSES) + 1} times: {error}") from error
            log.warning(f"{what} failed ({str(error)[:200]}), trying again in {pause:g} s.")
            time.sleep(pause)
    raise AssertionError


class Storage:
    """Files below a root.

    Args:
        root: a folder, or a URL that pyarrow opens: ``gs://bucket/path``, ``s3://bucket/path``.

    Raises:
        ValueError: if the URL is none that pyarrow knows.
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
        """A file's path in the file system, which knows no scheme."""
        return f"{self.base}/{name}"

    def names(self, name: str) -> str:
        """A file as the user would write it, for messages: without options, and without keys."""
        return re.sub("//[^/@]*@", "//", f"{self.root.partition('?')[0]}/{name}").removesuffix("/")

    def size(self, name: str) -> int | None:
        """Bytes of a file; None if there is none."""
        info = patiently(lambda: self.filesystem.get_file_info(self.path(name)), f"Looking for {self.names(name)}")
        return int(info.size) if info.type == fs.FileType.File else None

    def read(self, name: str) -> bytes:
        """A whole small file; FileNotFoundError if there is none."""

        def action() -> bytes:
            with self.filesystem.open_input_stream(self.path(name)) as stream:
                return bytes(stream.read())

        return patiently(action, f"Reading {self.names(name)}")

    def remove(self, name: str) -> None:
        """Delete a file, if there is one."""
        if self.size(name) is not None:
            patiently(lambda: self.filesystem.delete_file(self.path(name)), f"Deleting {self.names(name)}")

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file to a local one, chunk by chunk."""
        with self.filesystem.open_input_stream(self.path(name)) as stream, target.open("wb") as file:
            while chunk := stream.read(_CHUNK):
                file.write(chunk)

    def store(self, name: str, source: Path) -> None:
        """Put a local file there: under its name stands the whole file, or what stood there before.

        A broken upload to a bucket may leave the beginning of the file; whoever reads it must check its size.
        """
        if self.local:
            self.filesystem.create_dir(self.path(name).rpartition("/")[0], recursive=True)
            partial = f"{self.path(name)}.partial"
            fs.copy_files(str(source), partial, fs.LocalFileSystem(), self.filesystem)
            self.filesystem.move(partial, self.path(name))
            return

        def action() -> None:
            with source.open("rb") as file, self.filesystem.open_output_stream(self.path(name)) as stream:
                while chunk := file.read(_CHUNK):
                    stream.write(chunk)

        patiently(action, f"Writing {self.names(name)}")
