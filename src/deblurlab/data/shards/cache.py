"""Local copies of a bucket's shards: fetched ahead, checked, and deleted before they take too much room."""

import logging
import os
import re
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from deblurlab.data.shards.index import Shard, sha256_of
from deblurlab.data.shards.storage import Storage
from deblurlab.data.shards.waiting import patiently
from deblurlab.files.whole_file import whole_file

log = logging.getLogger(__name__)

_SHARDS_AHEAD = 2
_ABANDONED_SECONDS = 24 * 3600
_COPY = re.compile(r"[0-9a-f]{64}\.parquet")  # the folder may hold other files, which stay


class ShardCache:
    """A folder with the most recently used shards of a bucket.

    Copies are named by their SHA-256, so that several runs and data sets can share a folder. A copy is checked against
    its SHA-256 when it arrives, and gets its name only when it is complete. Several threads may use the cache at once.

    Args:
        storage: The storage of the shards.
        folder: The folder for the copies.
        limit: The most bytes that the copies may take.
    """

    def __init__(self, storage: Storage, *, folder: Path, limit: int) -> None:
        self.storage, self.folder, self.limit = storage, folder, limit
        self._order: list[Shard] = []
        self._place: dict[str, int] = {}
        self._fetches: dict[str, Future[Path]] = {}
        self._arriving: dict[str, int] = {}  # the bytes of the shards that are being fetched
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_SHARDS_AHEAD, thread_name_prefix="shards")

    def expect(self, order: Sequence[Shard]) -> None:
        """Announce the order in which shards will be requested, so that the next ones can be fetched ahead."""
        with self._lock:
            self._order = list(order)
            self._place = {shard.sha256: place for place, shard in enumerate(order)}

    def local(self, shard: Shard) -> Path:
        """A local copy of a shard. Open it at once: it may be deleted later.

        Raises:
            ValueError: If it cannot be fetched or differs from the index; the message names the shard.
        """
        place = self._place.get(shard.sha256, len(self._order))
        wanted = self._fetch(shard)  # first, because a reader waits for it
        for ahead in self._order[place + 1 : place + 1 + _SHARDS_AHEAD]:
            self._fetch(ahead)
        return wanted.result()

    def forget(self, shard: Shard) -> None:
        """Delete a local copy that was damaged on the disk, so that it is fetched again."""
        self._copy(shard).unlink(missing_ok=True)

    def _copy(self, shard: Shard) -> Path:
        return self.folder / f"{shard.sha256}.parquet"

    def _fetch(self, shard: Shard) -> "Future[Path]":
        """Start to fetch a shard unless there is a copy already or it is being fetched."""
        with self._lock:
            running = self._fetches.get(shard.sha256)
            # A fetch that failed was tried several times. The other frames of the shard get its error at once.
            if running and (not running.done() or running.exception()):
                return running
            copy = self._copy(shard)
            with suppress(FileNotFoundError):  # others delete copies without the lock: to make room, or damaged ones
                os.utime(copy)  # the least recently used copies are deleted first
                ready: Future[Path] = Future()
                ready.set_result(copy)
                return ready
            self._fetches[shard.sha256] = self._pool.submit(self._download, shard)
            return self._fetches[shard.sha256]

    def _download(self, shard: Shard) -> Path:
        with self._lock:
            self._arriving[shard.sha256] = shard.bytes
            self._make_room(sum(self._arriving.values()))
        try:
            return self._downloaded(shard)
        finally:
            with self._lock:
                del self._arriving[shard.sha256]

    def _downloaded(self, shard: Shard) -> Path:
        name = self.storage.address(shard.file)
        copy = self._copy(shard)
        try:
            with whole_file(copy) as partial:
                seconds = self.storage.wait_seconds
                patiently(lambda: self._fetch_checked(shard, partial), f"Fetching {name}", seconds=seconds)
        except FileNotFoundError as error:
            raise ValueError(f"{name} is gone, though the index lists it. Prepare the data again.") from error
        return copy

    def _fetch_checked(self, shard: Shard, target: Path) -> None:
        self.storage.fetch(shard.file, target)
        if target.stat().st_size != shard.bytes:
            raise OSError(f"{target.stat().st_size} bytes came, not {shard.bytes}")
        if sha256_of(target) != shard.sha256:
            raise OSError("what came has another checksum than the index says")

    def _make_room(self, needed: int) -> None:
        """Delete the least recently used copies, until ``needed`` more bytes are within the limit."""
        for partial in self.folder.glob("*.parquet*.partial"):  # processes that were killed may have left some
            with suppress(FileNotFoundError):
                if time.time() - partial.stat().st_mtime > _ABANDONED_SECONDS:
                    partial.unlink()
        files = []
        for file in self.folder.glob("*.parquet"):
            if not _COPY.fullmatch(file.name):
                continue
            try:
                status = file.stat()
            except FileNotFoundError:  # another process makes room at the same time
                continue
            files.append((status.st_mtime_ns, status.st_size, file))
        total = sum(size for _, size, _ in files)
        for _, size, file in sorted(files):
            if total + needed <= self.limit:
                return
            file.unlink(missing_ok=True)
            total -= size
