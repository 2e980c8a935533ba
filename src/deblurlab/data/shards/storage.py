"""Files in a folder or in a bucket. Operations are tried again when the network fails."""

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
from pyarrow import fs

from deblurlab.data.shards.waiting import patiently
from deblurlab.files.whole_file import whole_file

T = TypeVar("T")

_CHUNK = 8 << 20
# Google's library itself repeats failed requests for a quarter of an hour. Here it gives up sooner, so that the user
# sees a message within 10 seconds, of which the last request takes two; `patiently` then repeats the whole operation.
_GOOGLE_SECONDS = 5.0


# The schemes that pyarrow opens itself. It passes others, such as hf://, to libraries whose errors are unclear.
_SCHEMES = ("gs", "gcs", "s3", "hdfs", "viewfs", "abfs", "abfss", "file")


class Storage:
    """The files below a root. Their names are relative to it, with slashes.

    Args:
        root: A folder, or a URL that pyarrow opens: ``gs://bucket/path``, ``s3://bucket/path``.
        wait_seconds: How long to try a bucket that does not answer, in seconds.

    Raises:
        ValueError: If the kind of URL is unknown, or it cannot be opened.
    """

    def __init__(self, root: str, *, wait_seconds: float = 60.0) -> None:
        self.root, self.wait_seconds = root.rstrip("/"), wait_seconds
        self.filesystem: fs.FileSystem = fs.LocalFileSystem()
        self.base = str(Path(root).expanduser().absolute())
        if "://" in root:
            if root.partition("://")[0] not in _SCHEMES:
                raise ValueError(
                    f"{self.address()} cannot be opened: it is a folder, gs://BUCKET/PATH or s3://BUCKET/PATH."
                )
            try:
                self.filesystem, self.base = self._patiently(
                    lambda: fs.FileSystem.from_uri(_with_retry_limit(root, wait_seconds)), "Opening"
                )
            except (FileNotFoundError, pa.ArrowInvalid) as error:
                raise ValueError(f"{self.address()} cannot be opened: {error}") from error
        self.local = isinstance(self.filesystem, fs.LocalFileSystem)

    def _patiently(self, action: Callable[[], T], doing: str, name: str = "") -> T:
        return patiently(action, f"{doing} {self.address(name)}", seconds=self.wait_seconds)

    def path(self, name: str) -> str:
        """The path of a file in ``filesystem``, without a URL's scheme."""
        return f"{self.base}/{name}"

    def address(self, name: str = "") -> str:
        """The full path or URL of a file, or of the root, for messages: without a URL's options and keys."""
        return re.sub("//[^/@]*@", "//", f"{self.root.partition('?')[0]}/{name}").removesuffix("/")

    def size(self, name: str) -> int | None:
        """The size of a file in bytes; None if there is no such file."""
        info = self._patiently(lambda: self.filesystem.get_file_info(self.path(name)), "Looking for", name)
        return int(info.size) if info.type == fs.FileType.File else None

    def read(self, name: str) -> bytes:
        """The content of a small file; FileNotFoundError if there is no such file."""

        def action() -> bytes:
            with self.filesystem.open_input_stream(self.path(name)) as stream:
                return bytes(stream.read())

        return self._patiently(action, "Reading", name)

    def sha256(self, name: str) -> str:
        """The SHA-256 of a file, in hexadecimal digits; FileNotFoundError if there is no such file."""

        def action() -> str:
            digest = hashlib.sha256()
            with self.filesystem.open_input_stream(self.path(name)) as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
            return digest.hexdigest()

        return self._patiently(action, "Reading", name)

    def remove(self, name: str) -> None:
        """Delete a file if it is there."""
        if self.size(name) is not None:
            self._patiently(lambda: self.filesystem.delete_file(self.path(name)), "Deleting", name)

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file to a local one, chunk by chunk. It tries once, and raises pyarrow's errors."""
        with self.filesystem.open_input_stream(self.path(name)) as stream, target.open("wb") as file:
            shutil.copyfileobj(stream, file, _CHUNK)

    def store(self, name: str, source: Path) -> None:
        """Copy a local file to the storage.

        In a folder, the file is replaced completely or not at all. In a bucket, an interrupted upload may leave the
        beginning of the file, so readers must check its size.
        """
        if self.local:
            with whole_file(self.path(name)) as partial:
                shutil.copyfile(source, partial)
            return

        def action() -> None:
            with source.open("rb") as file, self.filesystem.open_output_stream(self.path(name)) as stream:
                shutil.copyfileobj(file, stream, _CHUNK)

        self._patiently(action, "Writing", name)


def _with_retry_limit(url: str, wait_seconds: float) -> str:
    """Add a time limit for each operation to a URL of Google's that has none."""
    if not url.startswith(("gs://", "gcs://")) or "retry_limit_seconds" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}retry_limit_seconds={min(_GOOGLE_SECONDS, wait_seconds):g}"
