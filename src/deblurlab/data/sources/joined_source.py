"""Several sources as one."""

from collections.abc import Sequence

import numpy as np

from deblurlab.data.arrays import Floats
from deblurlab.data.blur.windows import Window
from deblurlab.data.sources.pair_source import PairSource, PixelPair, cut_out


class JoinedSource(PairSource):
    """A :class:`PairSource` of the frames of several sources, one source after the other.

    Args:
        sources: Sources of files on disk, with patches of one size.
        first_share: The first source's share of the patches of a training epoch, between 0 and 1. The patches of the
            source with too few of them come up more than once. None uses each patch once.

    Attributes:
        repeats: (F,), how often the patches of each frame come up in a training epoch, on average; None for once.
    """

    def __init__(self, sources: Sequence[PairSource], *, first_share: float | None) -> None:
        self.sources, self.patch = sources, sources[0].patch
        counts = [len(source.groups) for source in sources]
        self._starts = np.cumsum([0, *counts])
        self.grids = np.concatenate([source.grids for source in sources])
        self.groups, self.open_groups = np.arange(sum(counts)), sum(counts)
        self.repeats: Floats | None = None
        if first_share is not None:
            first = self.grids[: counts[0]].prod(axis=1).sum()
            others = self.grids[counts[0] :].prod(axis=1).sum()
            wanted = others * first_share / (1 - first_share)  # patches of the first source if each other comes up once
            times = (max(1.0, wanted / first), max(1.0, first / wanted))
            self.repeats = np.repeat(times, (counts[0], sum(counts[1:])))

    def _find(self, frame: int) -> tuple[PairSource, int]:
        """The source of a frame, and the frame's number there."""
        index = int(np.searchsorted(self._starts, frame, side="right")) - 1
        return self.sources[index], frame - int(self._starts[index])

    def read(self, frame: int, epoch: int) -> PixelPair:
        source, own = self._find(frame)
        return source.read(own, epoch)

    def cut(self, pixels: PixelPair, window: Window, *, frame: int, epoch: int, number: int) -> PixelPair:
        source, own = self._find(frame)
        return cut_out(source, pixels, window, frame=own, epoch=epoch, number=number)

    def name(self, frame: int) -> str:
        source, own = self._find(frame)
        return source.name(own)
