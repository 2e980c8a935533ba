"""Makes the batches of an epoch's plan. Threads read frames ahead, and only frames that are still needed are kept."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from deblurlab.data.arrays import Integers
from deblurlab.data.batches.crops import offsets
from deblurlab.data.batches.epoch_plan import EpochPlan
from deblurlab.data.batches.frame_reader import FrameReader, OnError, ReadFrame
from deblurlab.data.batches.resumable import ResumableLoader
from deblurlab.data.blur.windows import Window
from deblurlab.data.sources.pair_source import PairSource, PixelPair, cut_out, patch_window

log = logging.getLogger(__name__)

# During the training step of one batch, the frames of this many batches after it are read.
_BATCHES_AHEAD = 2


class PairBatch(NamedTuple):
    """A batch of pairs. The host sends bytes; the training device does the arithmetic.

    Attributes:
        blurred, sharp: (B, H, W, 3) uint8, patches or whole frames.
        flips: (B, 2) or (B, 3) bool, see :func:`deblurlab.data.batches.flips.flip`.
        valid: (B,) bool, see :class:`deblurlab.interfaces.Pair`.
        grid: The number of rows and columns of patches in each image; (1, 1) for patches.
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
        plan, broken_before = self.plan(epoch), len(self.reader.skipped)
        first_use, last_uses = _uses(plan.frames[start:])
        due = np.array(list(first_use.values()))  # the batch in which each frame is first needed, ascending
        self.source.expect(np.array(list(first_use), dtype=np.int64))  # there may be none left
        unread = iter(first_use)
        started = 0
        reads: dict[int, Future[ReadFrame]] = {}
        cuts: deque[list[Future[_Cut]]] = deque()
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="frames")
        try:
            for number in range(len(plan.frames) - start):
                # Read the frames of the next batches, and some more, so that no thread waits for the training.
                needed = int(np.searchsorted(due, number + _BATCHES_AHEAD, side="right"))
                target = min(needed + 2 * self.threads, len(due))
                for frame in (next(unread) for _ in range(target - started)):
                    reads[frame] = pool.submit(self.reader.read, frame, epoch)
                started = target
                while len(cuts) <= _BATCHES_AHEAD and number + len(cuts) < len(plan.frames) - start:
                    cuts.append(self._cut(plan.batch(start + number + len(cuts)), reads, epoch, pool))
                made = self._batch(plan.batch(start + number), cuts.popleft())
                for frame in last_uses.get(number, ()):
                    del reads[frame]
                yield made
        finally:
            pool.shutdown(cancel_futures=True)
            if (broken := len(self.reader.skipped)) > broken_before:
                log.warning(f"data.on_error=skip: {broken} of {len(self.source.groups)} frames are left out")

    def _cut(
        self, plan: EpochPlan, reads: dict[int, Future[ReadFrame]], epoch: int, pool: ThreadPoolExecutor
    ) -> list[Future[_Cut]]:
        """Start to cut the rows of a batch. A row waits for its frame, which the pool was given before: no deadlock."""
        rows = range(len(plan.frames))
        return [pool.submit(self._row, plan, row, reads[int(plan.frames[row])], epoch) for row in rows]

    def _row(self, plan: EpochPlan, row: int, reading: Future[ReadFrame], epoch: int) -> _Cut:
        read, frame = reading.result(), int(plan.frames[row])
        height, width = read.pixels.sharp.shape[:2]
        if self.whole:
            window = Window(0, 0, height, width)
        elif plan.side is None:
            columns = int(self.source.grids[frame, 1])
            window = patch_window(int(plan.patches[row]), columns=columns, size=self.source.patch)
        else:
            top, left = offsets(plan.places[row], np.array((height, width)), plan.side).tolist()
            window = Window(top, left, plan.side, plan.side)
        number = int(plan.numbers[row])
        # ``read.frame``, since in joined sources a replacement may be of another kind than the frame that was planned
        return _Cut(
            cut_out(self.source, read.pixels, window, frame=read.frame, epoch=epoch, number=number), read.intact
        )

    def _batch(self, plan: EpochPlan, cuts: list[Future[_Cut]]) -> PairBatch:
        """Assemble one batch; this waits for its rows."""
        rows_and_columns = self.source.grids[plan.frames[0]] if self.whole else np.array((1, 1))
        grid = (int(rows_and_columns[0]), int(rows_and_columns[1]))
        height, width = self.source.patch if plan.side is None else (plan.side, plan.side)
        shape = (len(plan.frames), height * grid[0], width * grid[1], 3)
        pinned = torch.cuda.is_available()
        blurred, sharp = (torch.empty(shape, dtype=torch.uint8, pin_memory=pinned) for _ in range(2))
        valid = plan.valid.copy()
        for row, cut in enumerate(cuts):
            (blurred.numpy()[row], sharp.numpy()[row]), intact = cut.result()
            valid[row] &= intact
        return PairBatch(blurred, sharp, torch.from_numpy(plan.flips), torch.from_numpy(valid), grid)


def _uses(frames: Integers) -> tuple[dict[int, int], dict[int, list[int]]]:
    """Find when the frames of an epoch are needed.

    Args:
        frames: (N, B), the frames of each batch.

    Returns:
        The first batch that needs each frame, in this order; and for each batch the frames that no later batch needs.
    """
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for batch, row in enumerate(frames.tolist()):
        for frame in row:
            first.setdefault(frame, batch)
            last[frame] = batch
    done: dict[int, list[int]] = {}
    for frame, batch in last.items():
        done.setdefault(batch, []).append(frame)
    return first, done
