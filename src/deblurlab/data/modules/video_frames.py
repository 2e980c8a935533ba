"""Sequences of video frames, as their authors publish them or as prepared shards: REDS, GOPRO."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from deblurlab.data.batches.patch_loader import OnError
from deblurlab.data.modules.streamed import PairedFrames
from deblurlab.data.shards.cache import ShardCache
from deblurlab.data.shards.format import INDEX, Index, Shard
from deblurlab.data.shards.storage import Storage
from deblurlab.data.sources.frames import RawFrames, Source, divide
from deblurlab.data.sources.layouts import FramePair, Layout, find_frames, held_out
from deblurlab.data.sources.shard_frames import ShardFrames, read_index
from deblurlab.interfaces import Split

T = TypeVar("T")


class VideoFrames(PairedFrames):
    """Blurred and sharp video frames, resized and cut to a grid of patches.

    Args:
        root: the folder that holds the data set, or a folder or a bucket (gs://, s3://) of prepared shards.
        layout: how it lies there.
        size: height and width that frames are resized to.
        grid: rows and columns of the patches a frame is cut to.
        antialias: resize with a filter as wide as the scale; False is plain bilinear, which the study used.
        batch_size, seed, workers, mixed_frames, on_error: see :class:`PairedFrames`.
        cache: folder for local copies of a bucket's shards.
        cache_gib: how much it may hold.
    """

    def __init__(
        self,
        *,
        root: str,
        layout: Layout,
        size: Sequence[int],
        grid: Sequence[int],
        antialias: bool = True,
        batch_size: int = 256,
        seed: int = 0,
        workers: int = 2,
        mixed_frames: int = 128,
        on_error: OnError = "raise",
        cache: str = "~/.cache/deblurlab",
        cache_gib: float = 16.0,
    ) -> None:
        super().__init__(
            batch_size=batch_size, seed=seed, workers=workers, mixed_frames=mixed_frames, on_error=on_error
        )
        if len(size) != 2 or len(grid) != 2:
            raise ValueError(f"data.size and data.grid are [height,width], got {list(size)} and {list(grid)}.")
        self.root = root if "://" in root else str(Path(root).expanduser())
        self.layout, self.antialias = layout, antialias
        self.size, self.grid = (size[0], size[1]), (grid[0], grid[1])
        divide(self.size, self.grid)
        self.cache, self.cache_gib = Path(cache).expanduser(), cache_gib
        self._shard_cache: ShardCache | None = None
        self._found: dict[str, list[FramePair]] = {}

    def pairs(self, official: str) -> list[FramePair]:
        """The published frame pairs of an official split, "train" or "test"."""
        if official not in self._found:
            self._found[official] = find_frames(Path(self.root), official, self.layout)
        return self._found[official]

    @cached_property
    def storage(self) -> Storage:
        return Storage(self.root)

    @cached_property
    def index(self) -> Index | None:
        """The index of prepared shards; None where the root holds published frames.

        Raises:
            ValueError: if a bucket holds no index, or the shards were prepared otherwise than asked for.
        """
        index = read_index(self.storage)
        if index is None:
            if not self.storage.local or next(Path(self.storage.base).glob("train/*.parquet"), None):
                raise ValueError(
                    f"{self.storage.names(INDEX)} is not there: no frames were prepared there, or python -m "
                    "deblurlab.prepare was interrupted. Run it (again); it goes on where it stopped."
                )
            return None
        made = index.settings
        if (made.size, made.antialias) != (self.size, self.antialias):
            raise ValueError(
                f"{self.storage.names('')} was prepared with data.size={list(made.size)} "
                f"data.antialias={made.antialias}; data.size={list(self.size)} data.antialias={self.antialias} is "
                "asked for. Prepare it once more, to another folder."
            )
        return index

    @cached_property
    def _validation(self) -> npt.NDArray[np.bool_]:
        if self.index is None:
            sequences = [pair.sequence for pair in self.pairs("train")]
        else:
            sequences = [shard.sequence for shard, _ in self._rows("train")]
        return held_out(sequences, self.layout.title)

    def _rows(self, official: str) -> list[tuple[Shard, int]]:
        assert self.index is not None
        shards = [shard for shard in self.index.shards if shard.split == official]
        if not shards:
            raise ValueError(f"{self.storage.names('')} holds no prepared frames of split {official}.")
        return [(shard, row) for shard in shards for row in range(len(shard.frames))]

    def open(self, split: Split) -> Source:
        official = "test" if split == "test" else "train"
        if self.index is None:
            pairs = self._of(split, self.pairs(official))
            return RawFrames(pairs, size=self.size, grid=self.grid, antialias=self.antialias)
        if not self.storage.local and self._shard_cache is None:
            limit = int(self.cache_gib * 2**30)
            self._shard_cache = ShardCache(self.storage, folder=self.cache, limit=limit)
        return ShardFrames(
            self.storage,
            settings=self.index.settings,
            rows=self._of(split, self._rows(official)),
            grid=self.grid,
            cache=self._shard_cache,
        )

    def _of(self, split: Split, frames: list[T]) -> list[T]:
        """A split's part of an official split's frames."""
        if split == "test":
            return frames
        wanted = self._validation == (split == "val")
        return [frame for frame, keep in zip(frames, wanted, strict=True) if keep]
