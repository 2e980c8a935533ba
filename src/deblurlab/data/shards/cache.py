"""Shards of a bucket on the local disk: fetched ahead, checked, and thrown away before they are too many."""

import logging
import os
import re
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from deblurlab.data.shards.format import Shard, sha256_of
from deblurlab.data.shards.storage import Storage, patiently

log = logging.getLogger(__name__)

_SHARDS_AHEAD = 2
_ABANDONED_SECONDS = 24 * 3600
_COPY = re.compile(r"[0-9a-f]{64}\.parquet")  # the folder may hold other files, which stay


class ShardCache:
    """Local copies of at most ``limit`` bytes of shards, the most recently used ones.

    Files are named by their SHA-256, so several runs and data sets can share a folder. They are checked
    against it when they arrive and appear under their name only when whole.

    Args:
        storage: where the shards are.
        folder: for the copies.
        limit: their most bytes.
    """

    def __init__(self, storage: Storage, *, folder: Path, limit: int) -> None:
        self.storage, self.folder, self.limit = storage, folder, limit
        self.fetched_bytes = 0
        self._order: list[Shard] = []
        self._place: dict[str, int] = {}
        self._fetches: dict[str, Future[Path]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_SHARDS_AHEAD, thread_name_prefix="shards")

    def expect(self, order: Sequence[Shard]) -> None:
        """Announce the order in which shards will be asked for; the next ones are fetched ahead."""
        with self._lock:
            self._order = list(order)
            self._place = {shard.sha256: place for place, shard in enumerate(order)}

    def local(self, shard: Shard) -> Path:
        """A local copy of a shard, for opening at once: it may be thrown away later.

        Raises:
            ValueError: naming the shard, if it cannot be fetched or is not what the index says.
        """
        place = self._place.get(shard.sha256, len(self._order))
        wanted = self._fetch(shard)  # before those that nobody waits for yet
        for ahead in self._order[place + 1 : place + 1 + _SHARDS_AHEAD]:
            self._fetch(ahead)
        return wanted.result()

    def forget(self, shard: Shard) -> None:
        """Throw a local copy away: it is not what it was when it came."""
        (self.folder / f"{shard.sha256}.parquet").unlink(missing_ok=True)

    def _fetch(self, shard: Shard) -> "Future[Path]":
        target = self.folder / f"{shard.sha256}.parquet"
        with self._lock:
            # one that failed has failed for good: no frame of the shard waits for it again
            if (running := self._fetches.get(shard.sha256)) and (not running.done() or running.exception()):
                return running
            if target.exists():
                os.utime(target)
                ready: Future[Path] = Future()
                ready.set_result(target)
                return ready
            self._fetches[shard.sha256] = self._pool.submit(self._download, shard, target)
            return self._fetches[shard.sha256]

    def _download(self, shard: Shard, target: Path) -> Path:
        self._make_room(shard.bytes)
        name = self.storage.names(shard.file)
        partial = target.with_name(f"{target.name}.{os.getpid()}.partial")

        def action() -> None:
            self.storage.fetch(shard.file, partial)
            if partial.stat().st_size != shard.bytes:
                raise OSError(f"{partial.stat().st_size} bytes came, not {shard.bytes}")
            if sha256_of(partial) != shard.sha256:
                raise OSError("what came has another checksum than the index says")

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            patiently(action, f"Fetching {name}")
            partial.replace(target)
        except FileNotFoundError as error:
            raise ValueError(f"{name} is gone, though the index lists it. Prepare the data again.") from error
        finally:
            partial.unlink(missing_ok=True)
        self.fetched_bytes += shard.bytes
        return target

    def _make_room(self, needed: int) -> None:
        for partial in self.folder.glob("*.parquet.*.partial"):  # of processes that were killed
            with suppress(FileNotFoundError):
                if time.time() - partial.stat().st_mtime > _ABANDONED_SECONDS:
                    partial.unlink()
        files = []
        for file in self.folder.glob("*.parquet"):
            if not _COPY.fullmatch(file.name):
                continue
            try:
                status = file.stat()
            except FileNotFoundError:  # another process made room, too
                continue
            files.append((status.st_mtime_ns, status.st_size, file))
        total = sum(size for _, size, _ in files)
        for _, size, file in sorted(files):
            if total + needed <= self.limit:
                return
            file.unlink(missing_ok=True)
            total -= size
