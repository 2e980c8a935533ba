"""Sequences of video frames, as their authors publish them or as prepared shards: REDS, GOPRO."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from deblurlab.data.arrays import Booleans
from deblurlab.data.batches.crops import Crops
from deblurlab.data.batches.frame_reader import OnError
from deblurlab.data.modules.streamed import PairedFrames
from deblurlab.data.shards.cache import ShardCache
from deblurlab.data.shards.index import INDEX, Index, Shard
from deblurlab.data.shards.storage import Storage
from deblurlab.data.sources.blank_frames import BlankFrames
from deblurlab.data.sources.layouts import Layout, find_frames
from deblurlab.data.sources.pair_source import PairSource
from deblurlab.data.sources.patch_grids import patch_size
from deblurlab.data.sources.picture_files import FilePair
from deblurlab.data.sources.published_frames import PublishedFrames, require_sizes
from deblurlab.data.sources.shard_frames import ShardFrames, read_index
from deblurlab.data.splits import PublishedSplit, divided, hold_out_sequences
from deblurlab.interfaces import Split

T = TypeVar("T")


class VideoFrames(PairedFrames):
    """Blurred and sharp video frames, resized and cut to a grid of patches.

    An eighth of the published training sequences is held out for validation.

    Args:
        root: The folder of the data set, or a folder or a bucket (gs://, s3://) of prepared shards.
        layout: The folders of the data set within ``root``.
        size: Height and width to which frames are resized.
        grid: The number of rows and columns of patches into which a frame is cut.
        batch_size: See :class:`PairedFrames`.
        antialias: Resize with a filter as wide as the scale. False is plain bilinear, which the study used.
        seed, workers, mixed_frames, on_error, rotations, crops: See :class:`PairedFrames`.
        cache: The folder for local copies of a bucket's shards.
        cache_gib: The most GiB that the copies may take.
        wait_seconds: How long to try a bucket that does not answer, in seconds.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        *,
        root: str,
        layout: Layout,
        size: Sequence[int],
        grid: Sequence[int],
        batch_size: int,
        antialias: bool = True,
        seed: int = 0,
        workers: int = 2,
        mixed_frames: int = 128,
        on_error: OnError = "raise",
        rotations: bool = False,
        crops: Crops = None,
        cache: str = "~/.cache/deblurlab",
        cache_gib: float = 16.0,
        wait_seconds: float = 60.0,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            seed=seed,
            workers=workers,
            mixed_frames=mixed_frames,
            on_error=on_error,
            rotations=rotations,
            crops=crops,
        )
        if len(size) != 2 or len(grid) != 2:
            raise ValueError(f"data.size and data.grid are [height,width], got {list(size)} and {list(grid)}.")
        self.root = root if "://" in root else str(Path(root).expanduser())
        self.layout, self.antialias = layout, antialias
        self.size, self.grid = (size[0], size[1]), (grid[0], grid[1])
        self.patch = patch_size(self.size, self.grid)
        self.cache, self.cache_gib = Path(cache).expanduser(), cache_gib
        self.wait_seconds = wait_seconds
        self._shard_cache: ShardCache | None = None
        self._found: dict[PublishedSplit, list[FilePair]] = {}

    def pairs(self, published: PublishedSplit) -> list[FilePair]:
        """The files of a published split, found at the first call."""
        if published not in self._found:
            self._found[published] = find_frames(Path(self.root), published, self.layout)
        return self._found[published]

    @cached_property
    def storage(self) -> Storage:
        """The root as a storage of prepared shards."""
        return Storage(self.root, wait_seconds=self.wait_seconds)

    @cached_property
    def index(self) -> Index | None:
        """The index of prepared shards; None if the root holds published frames.

        Raises:
            ValueError: If a bucket has no index, or the shards were prepared with other settings.
        """
        index = read_index(self.storage)
        if index is None:
            if not self.storage.local or next(Path(self.storage.base).glob("train/*.parquet"), None):
                raise ValueError(
                    f"{self.storage.address(INDEX)} is not there: no frames were prepared there, or python -m "
                    "deblurlab.prepare was interrupted. Run it (again); it continues where it stopped."
                )
            return None
        made = index.settings
        if (made.size, made.antialias) != (self.size, self.antialias):
            raise ValueError(
                f"{self.storage.address()} was prepared with data.size={list(made.size)} "
                f"data.antialias={made.antialias}; data.size={list(self.size)} data.antialias={self.antialias} is "
                "asked for. Prepare it once more, to another folder."
            )
        return index

    def open(self, split: Split) -> PairSource:
        published: PublishedSplit = "test" if split == "test" else "train"
        if self.index is None:
            pairs = self._part(split, self.pairs(published))
            if self.on_error == "raise":
                require_sizes(pairs, self.size, threads=self.workers)
            return PublishedFrames(pairs, size=self.size, grid=self.grid, antialias=self.antialias)
        if not self.storage.local and self._shard_cache is None:
            limit = int(self.cache_gib * 2**30)
            self._shard_cache = ShardCache(self.storage, folder=self.cache, limit=limit)
        return ShardFrames(
            self.storage,
            settings=self.index.settings,
            rows=self._part(split, self._rows(self.index, published)),
            grid=self.grid,
            cache=self._shard_cache,
        )

    def stand_in(self) -> None:
        """See :class:`deblurlab.interfaces.StandsIn`. About an eighth of the training frames is for validation."""
        if self.layout.published is None:
            raise ValueError("data.layout.published=[TRAIN,TEST] is to say how many frames there are to stand in for.")
        train, test = self.layout.published
        counts: dict[Split, int] = {"train": train - train // 8, "val": train // 8, "test": test}
        self._sources |= {
            split: BlankFrames(count, patch=self.patch, grid=self.grid) for split, count in counts.items()
        }

    def _rows(self, index: Index, published: PublishedSplit) -> list[tuple[Shard, int]]:
        """The shard and the row of each frame of a published split."""
        shards = [shard for shard in index.shards if shard.split == published]
        if not shards:
            raise ValueError(f"{self.storage.address()} holds no prepared frames of split {published}.")
        return [(shard, row) for shard in shards for row in range(len(shard.frames))]

    def _part(self, split: Split, frames: list[T]) -> list[T]:
        """The frames of ``split``: "train" and "val" are both cut from the published training frames."""
        if split == "test":
            return frames
        train, val = divided(frames, self._held_out)
        return train if split == "train" else val

    @cached_property
    def _held_out(self) -> Booleans:
        """Which of the published training frames are for validation."""
        if self.index is None:
            sequences = [pair.sequence for pair in self.pairs("train")]
        else:
            sequences = [shard.sequence for shard, _ in self._rows(self.index, "train")]
        return hold_out_sequences(sequences, self.layout.title)
