"""Frames read from prepared shards, on disk or in a bucket."""

import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from deblurlab.data.batches.epoch_plan import Integers
from deblurlab.data.shards.cache import ShardCache
from deblurlab.data.shards.format import INDEX, Index, Settings, Shard, decode_row, from_json
from deblurlab.data.shards.storage import Storage
from deblurlab.data.sources.frames import Frame, divide

log = logging.getLogger(__name__)

# Frames are mixed over this many shards of a bucket, as far as the cache holds them.
_OPEN_SHARDS = 16


def read_index(storage: Storage) -> Index | None:
    """The index in a folder; None if there is none."""
    try:
        return from_json(storage.read(INDEX), storage.names(INDEX))
    except FileNotFoundError:
        return None


@lru_cache(maxsize=512)
def _footer(path: Path, size: int) -> Any:
    return pq.read_metadata(path)


class ShardFrames:
    """Frames of shards.

    Args:
        storage: where the shards are.
        settings: how they were made.
        rows: the shard and the row in it of each frame, frames of one shard adjacent.
        grid: rows and columns of the patches a frame is cut to.
        cache: copies of a bucket's shards; None to read a local folder as it is.

    Raises:
        ValueError: if the cache cannot hold the shards needed at once.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        settings: Settings,
        rows: Sequence[tuple[Shard, int]],
        grid: tuple[int, int],
        cache: ShardCache | None,
    ) -> None:
        self.storage, self.settings, self.rows, self.cache = storage, settings, rows, cache
        self.patch = divide(settings.size, grid)
        self.grids = np.tile(np.array(grid, dtype=np.int64), (len(rows), 1))
        files = dict.fromkeys(shard.file for shard, _ in rows)
        numbers = {file: number for number, file in enumerate(files)}
        self.groups = np.array([numbers[shard.file] for shard, _ in rows])
        self.open_groups = len(files)
        if cache is not None:
            largest = max(shard.bytes for shard, _ in rows)
            self.open_groups = min(_OPEN_SHARDS, cache.limit // largest - 3)
            if self.open_groups < 1:
                raise ValueError(
                    f"data.cache_gib={cache.limit / 2**30:.3g} holds no four shards of {largest / 2**30:.3g} GiB: "
                    "raise it."
                )

    def expect(self, frames: Integers) -> None:
        if self.cache is not None:
            shards = dict.fromkeys(self.groups[frames].tolist())
            first = {group: shard for group, (shard, _) in zip(self.groups.tolist(), self.rows, strict=True)}
            self.cache.expect([first[group] for group in shards])

    def read(self, frame: int, epoch: int) -> Frame:
        shard, row = self.rows[frame]
        name = f"{self.storage.names(shard.file)}, row {row} ({self.name(frame)})"
        table = self._row(shard, row, name)
        if table.column("frame")[0].as_py() != shard.frames[row]:
            raise ValueError(f"{name} holds another frame than the index says. Prepare the data again.")
        sides = (memoryview(table.column(side)[0].as_buffer()) for side in ("blurred", "sharp"))
        return Frame(*(decode_row(side, self.settings, name) for side in sides))

    def _row(self, shard: Shard, row: int, name: str) -> Any:
        fetched_again = False
        while True:
            path = self.cache.local(shard) if self.cache else Path(self.storage.path(shard.file))
            try:
                footer = _footer(path, path.stat().st_size)
                with pq.ParquetFile(path, metadata=footer, memory_map=True, page_checksum_verification=True) as file:
                    return file.read_row_group(row, columns=["frame", "blurred", "sharp"], use_threads=False)
            except FileNotFoundError as error:
                if self.cache is None:
                    raise ValueError(f"{name} is gone, though the index lists it. Prepare the data again.") from error
            except (pa.ArrowException, OSError, IndexError) as error:
                if self.cache is not None and not fetched_again:  # the disk, not the bucket
                    log.warning(
                        f"{path}, the local copy of {self.storage.names(shard.file)}, is damaged: fetching it again"
                    )
                    self.cache.forget(shard)
                    _footer.cache_clear()
                    fetched_again = True
                    continue
                raise ValueError(
                    f"{name} is damaged ({str(error).splitlines()[0]}). Delete the file and run prepare again."
                ) from error

    def name(self, frame: int) -> str:
        shard, row = self.rows[frame]
        return f"{shard.sequence}/{shard.frames[row]}"
