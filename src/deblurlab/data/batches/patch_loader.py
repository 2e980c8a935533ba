"""Makes the batches of an epoch's plan. Threads read frames ahead, and only frames that are still needed are kept."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import starmap
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from deblurlab.data.batches.crops import offsets
from deblurlab.data.batches.epoch_plan import EpochPlan
from deblurlab.data.batches.frame_reader import FrameReader, OnError, ReadFrame
from deblurlab.data.batches.resumable import ResumableLoader
from deblurlab.data.blur.windows import Window
from deblurlab.data.sources.pair_source import PairSource, PixelPair, cut_out, network_grid, patch_window

log = logging.getLogger(__name__)

# During the training step of one batch, this many batches after it are read and cut.
_BATCHES_AHEAD = 2

_Started = TypeVar("_Started")


class PairBatch(NamedTuple):
    """A batch of pairs. The host sends bytes; the training device does the arithmetic.

    Attributes:
        blurred, sharp: (B, H, W, 3) uint8, patches or whole frames.
        flips: (B, 2) or (B, 3) bool, see :func:`deblurlab.data.batches.flips.flip`.
        valid: (B,) bool, see :class:`deblurlab.interfaces.Pair`.
        grid: The number of rows and columns of patches in each image; (1, 1) for patches and uncut pictures.
    """

    blurred: Tensor
    sharp: Tensor
    flips: Tensor
    valid: Tensor
    grid: tuple[int, int]


class _Cut(NamedTuple):
    """A row of a batch, and whether it is of the planned frame and not of a replacement."""

    pair: PixelPair
    intact: bool


class PatchLoader(ResumableLoader[PairBatch]):
    """The batches of an epoch's plan, read from a source.

    Args:
        source: The source of the frames.
        plan: Returns the plan of an epoch, given its number.
        whole: Make batches of whole frames instead of patches.
        threads: The number of threads that read frames, and blur the patches of photographs. Decoding, resizing and
            blurring release Python's global lock, so that this many cores can be busy.
        on_error: See :class:`FrameReader`. Patches of a broken frame are marked invalid.
        skipped: See :class:`FrameReader`.
        epoch: See :class:`ResumableLoader`.
    """

    def __init__(
        self,
        source: PairSource,
        plan: Callable[[int], EpochPlan],
        *,
        whole: bool,
        threads: int,
        on_error: OnError,
        skipped: set[int],
        epoch: Callable[[], int] | None,
    ) -> None:
        super().__init__(epoch=epoch)
        self.source, self.plan, self.whole, self.threads = source, plan, whole, threads
        self.reader = FrameReader(source, on_error=on_error, skipped=skipped)
        self._length = len(plan(0).frames)

    def __len__(self) -> int:
        return self._length

    def batches(self, epoch: int, *, start: int = 0) -> Iterator[PairBatch]:
        broken_before = len(self.reader.skipped)
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="frames")
        try:
            # Unlike a loop, starmap keeps no frames of the last batch while the caller trains on it.
            yield from starmap(self._assembled, _ahead(_BATCHES_AHEAD, self._started(epoch, start, pool)))
        finally:
            pool.shutdown(cancel_futures=True)
            if (broken := len(self.reader.skipped)) > broken_before:
                log.warning(f"data.on_error=skip: {broken} of {len(self.source.groups)} frames are left out")

    def _started(
        self, epoch: int, start: int, pool: ThreadPoolExecutor
    ) -> Iterator[tuple[EpochPlan, list[Future[_Cut]]]]:
        """Start to read and to cut each batch; yield its plan, and its rows when they will be done.

        A row waits for its frame. The pool was given the frame first, so that no row waits forever.
        """
        plan = self.plan(epoch)
        frames = plan.frames[start:]
        last_use = {frame: number for number, needed in enumerate(frames.tolist(), start) for frame in needed}
        by_first_use = list(dict.fromkeys(frames.ravel().tolist()))
        self.source.expect(np.array(by_first_use, dtype=np.int64))  # there may be none left
        # Some more frames are read than the batches need, so that no thread waits for the training.
        reads = _ahead(2 * self.threads, (pool.submit(self.reader.read, frame, epoch) for frame in by_first_use))
        open_reads: dict[int, Future[ReadFrame]] = {}
        for number in range(start, len(plan.frames)):
            batch = plan.batch(number)
            needed = batch.frames.tolist()
            for frame in needed:
                if frame not in open_reads:  # then this is its first use
                    open_reads[frame] = next(reads)
            cuts = [pool.submit(self._cut, batch, row, open_reads[frame], epoch) for row, frame in enumerate(needed)]
            for frame in set(needed):
                if last_use[frame] == number:
                    del open_reads[frame]
            yield batch, cuts

    def _cut(self, batch: EpochPlan, row: int, reading: Future[ReadFrame], epoch: int) -> _Cut:
        read = reading.result()
        window, number = self._window(batch, row, read.pixels.sharp.shape), int(batch.numbers[row])
        # ``read.frame``, since in joined sources a replacement may be of another kind than the frame that was planned
        pair = cut_out(self.source, read.pixels, window, frame=read.frame, epoch=epoch, number=number)
        return _Cut(pair, read.intact)

    def _window(self, batch: EpochPlan, row: int, size: tuple[int, ...]) -> Window:
        """The part of a frame that a row shows: the whole frame, a patch of its grid or a random crop."""
        height, width = size[:2]
        if self.whole:
            return Window(0, 0, height, width)
        if batch.side is None:
            columns = int(self.source.grids[batch.frames[row], 1])
            return patch_window(int(batch.patches[row]), columns=columns, size=self.source.patch)
        top, left = offsets(batch.places[row], np.array((height, width)), batch.side).tolist()
        return Window(top, left, batch.side, batch.side)

    def _assembled(self, batch: EpochPlan, cuts: list[Future[_Cut]]) -> PairBatch:
        """Wait for the rows of a batch and join them."""
        height, width = self.source.patch if batch.side is None else (batch.side, batch.side)
        grid = (1, 1)
        if self.whole:  # the frames of a batch are of one size
            patches = self.source.grids[batch.frames[0]]
            height, width = (patches * self.source.patch).tolist()
            grid = network_grid(self.source, patches)
        shape = (len(batch.frames), height, width, 3)
        pinned = torch.cuda.is_available()
        blurred, sharp = (torch.empty(shape, dtype=torch.uint8, pin_memory=pinned) for _ in range(2))
        valid = batch.valid.copy()
        for row, cut in enumerate(cuts):
            (blurred.numpy()[row], sharp.numpy()[row]), intact = cut.result()
            valid[row] &= intact
        return PairBatch(blurred, sharp, torch.from_numpy(batch.flips), torch.from_numpy(valid), grid)


def _ahead(count: int, started: Iterator[_Started]) -> Iterator[_Started]:
    """Yield the items of an iterator that starts them, when it has started ``count`` more."""
    waiting: deque[_Started] = deque()
    for item in started:
        waiting.append(item)
        if len(waiting) > count:
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()
