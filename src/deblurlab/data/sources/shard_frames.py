"""Frames read from prepared shards, on disk or in a bucket."""

import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from deblurlab.data.arrays import Integers
from deblurlab.data.shards.cache import ShardCache
from deblurlab.data.shards.index import INDEX, Index, Settings, Shard, from_json
from deblurlab.data.shards.shard_rows import NAME_KEY, decode_encoded
from deblurlab.data.shards.storage import Storage
from deblurlab.data.sources.pair_source import PairSource, PixelPair
from deblurlab.data.sources.patch_grids import patch_size

log = logging.getLogger(__name__)

# Frames are shuffled over this many shards of a bucket, or over fewer if the cache cannot hold so many.
_OPEN_SHARDS = 16
_COLUMNS = ["sequence", "frame", "blurred", "sharp"]


def read_index(storage: Storage) -> Index | None:
    """The index in a storage; None if there is no index."""
    try:
        return from_json(storage.read(INDEX), storage.address(INDEX))
    except FileNotFoundError:
        return None


@lru_cache(maxsize=512)
def _footer(path: Path, size: int) -> Any:
    """A Parquet file's metadata, cached. ``size`` is a part of the key, because another file may replace this one."""
    return pq.read_metadata(path)


class ShardFrames(PairSource):
    """A :class:`PairSource` of the frames of shards.

    Args:
        storage: The storage of the shards.
        settings: The settings with which they were made.
        rows: For each frame, its shard and its row there. Frames of one shard are adjacent.
        grid: The numbers of rows and columns of patches in a frame.
        cache: The local copies of a bucket's shards; None reads a local folder directly.

    Raises:
        ValueError: If the cache cannot hold the shards that are needed at the same time.
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
        self.patch = patch_size(settings.size, grid)
        self.grids = np.tile(np.array(grid, dtype=np.int64), (len(rows), 1))
        self._shards = list({shard.file: shard for shard, _ in rows}.values())
        numbers = {shard.file: number for number, shard in enumerate(self._shards)}
        self.groups = np.array([numbers[shard.file] for shard, _ in rows])
        self.open_groups = len(self._shards)
        if cache is not None:
            largest = max(shard.bytes for shard in self._shards)
            # Beside these, two shards are fetched ahead, and the last frames of another are read late.
            self.open_groups = min(_OPEN_SHARDS, cache.limit // largest - 3)
            if self.open_groups < 1:
                raise ValueError(
                    f"data.cache_gib={cache.limit / 2**30:.3g} holds no four shards of {largest / 2**30:.3g} GiB: "
                    "raise it."
                )

    def expect(self, frames: Integers) -> None:
        if self.cache is not None:
            order = dict.fromkeys(self.groups[frames].tolist())
            self.cache.expect([self._shards[group] for group in order])

    def read(self, frame: int, epoch: int) -> PixelPair:
        shard, row = self.rows[frame]
        name = f"{self.storage.address(shard.file)}, row {row} ({self.name(frame)})"
        table = self._row(shard, row, name)
        if [table.column(key)[0].as_py() for key in ("sequence", "frame")] != [shard.sequence, shard.frames[row]]:
            raise ValueError(f"{name} holds another frame than the index says. Prepare the data again.")
        codec, size = self.settings.codec, self.settings.size
        sides = (memoryview(table.column(side)[0].as_buffer()) for side in ("blurred", "sharp"))
        return PixelPair(*(decode_encoded(side, codec=codec, size=size, name=name) for side in sides))

    def _row(self, shard: Shard, row: int, name: str) -> Any:
        """One row of a shard as a table. A damaged local copy is fetched again once."""
        fetched_again = False
        while True:
            path = self.cache.local(shard) if self.cache else Path(self.storage.path(shard.file))
            try:
                return self._read_row(path, shard, row)
            except FileNotFoundError as error:
                if self.cache is None:
                    raise ValueError(f"{name} is gone, though the index lists it. Prepare the data again.") from error
                continue  # the cache has deleted the copy since, to make room: ask it again
            except (pa.ArrowException, OSError, IndexError) as error:
                if self.cache is None or fetched_again:
                    raise ValueError(
                        f"{name} is damaged ({str(error).splitlines()[0]}). Delete the file and run prepare again."
                    ) from error
            # the copy was correct when it arrived: the disk has damaged it
            log.warning(f"{path}, the local copy of {self.storage.address(shard.file)}, is damaged: fetching it again")
            self.cache.forget(shard)
            _footer.cache_clear()
            fetched_again = True

    def _read_row(self, path: Path, shard: Shard, row: int) -> Any:
        """One row of the file at ``path``, once it is certain that this is the file of ``shard``.

        Raises:
            ValueError: If it is another file.
            OSError, IndexError, pyarrow.ArrowException: If it is missing or damaged.
        """
        size = path.stat().st_size
        footer = _footer(path, size)
        if size != shard.bytes:  # the file is complete, but not the one that was prepared
            raise ValueError(
                f"{self.storage.address(shard.file)} is another file than the index lists: it has {size} bytes instead "
                f"of {shard.bytes}. Delete it and run prepare again."
            )
        # shards of earlier versions have no name in their footer
        if (own := (footer.metadata or {}).get(NAME_KEY, shard.file.encode())) != shard.file.encode():
            raise ValueError(
                f"{self.storage.address(shard.file)} is another shard, {own.decode(errors='replace')!r}. Delete it and "
                "run prepare again."
            )
        with pq.ParquetFile(path, metadata=footer, memory_map=True, page_checksum_verification=True) as file:
            return file.read_row_group(row, columns=_COLUMNS, use_threads=False)

    def name(self, frame: int) -> str:
        shard, row = self.rows[frame]
        return f"{shard.sequence}/{shard.frames[row]}"
