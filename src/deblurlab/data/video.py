"""Sequences of frames that lie as their authors publish them: REDS, GOPRO."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deblurlab.data.frame_module import PairedFrames
from deblurlab.data.frames import FramePair, Layout, find_frames, held_out
from deblurlab.data.module import Split
from deblurlab.data.source import RawFrames, Source, divide
from deblurlab.data.stream import OnError


class VideoFrames(PairedFrames):
    """Blurred and sharp video frames, resized and cut to a grid of patches.

    Args:
        root: the folder that holds the data set.
        layout: how it lies there.
        size: height and width that frames are resized to.
        grid: rows and columns of the patches a frame is cut to.
        antialias: resize with a filter as wide as the scale; False is plain bilinear, which the study used.
        batch_size, seed, workers, mixed_frames, on_error: see :class:`PairedFrames`.
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
    ) -> None:
        super().__init__(
            batch_size=batch_size, seed=seed, workers=workers, mixed_frames=mixed_frames, on_error=on_error
        )
        self.root, self.layout, self.antialias = root, layout, antialias
        self.size, self.grid = (size[0], size[1]), (grid[0], grid[1])
        divide(self.size, self.grid)
        self._found: dict[str, list[FramePair]] = {}

    def pairs(self, official: str) -> list[FramePair]:
        """The frame pairs of an official split, "train" or "test"."""
        if official not in self._found:
            self._found[official] = find_frames(Path(self.root), official, self.layout)
        return self._found[official]

    @cached_property
    def _held_out(self) -> npt.NDArray[np.bool_]:
        return held_out([pair.sequence for pair in self.pairs("train")], self.layout.title)

    def open(self, split: Split) -> Source:
        pairs = self.pairs("test" if split == "test" else "train")
        if split != "test":
            wanted = self._held_out == (split == "val")
            pairs = [pair for pair, keep in zip(pairs, wanted, strict=True) if keep]
        return RawFrames(pairs, size=self.size, grid=self.grid, antialias=self.antialias)
