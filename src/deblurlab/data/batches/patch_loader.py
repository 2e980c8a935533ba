"""Makes the batches of an epoch's plan: threads read frames ahead, and only frames that are still needed are kept."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from deblurlab.data.arrays import Floats, Integers
from deblurlab.data.batches.crops import offsets
from deblurlab.data.batches.epoch_plan import EpochPlan
from deblurlab.data.batches.frame_reader import FrameReader, OnError, ReadFrame
from deblurlab.data.batches.resumable import ResumableLoader
from deblurlab.data.sources.pair_source import PairSource, PixelPair, cut_out

log = logging.getLogger(__name__)

# While one batch trains, the frames of this many batches after it are being read.
_BATCHES_AHEAD = 2


class PairBatch(NamedTuple):
    """A batch of pairs. It leaves the host as bytes; the training device does the arithmetic.

    Attributes:
        blurred, sharp: (B, H, W, 3) uint8, patches or whole frames.
        flips: (B, 2) or (B, 3) bool, see :func:`deblurlab.data.batches.flips.flip`.
        valid: (B,) bool, see :class:`deblurlab.interfaces.Pair`.
        grid: Rows and columns of patches in each image; (1, 1) for patches.
    """

    blurred: Tensor
    sharp: Tensor
    flips: Tensor
    valid: Tensor
    grid: tuple[int, int]


class PatchLoader(ResumableLoader[PairBatch]):
    """The batches of an epoch's plan, read from a source.

    Args:
        source: Where the frames come from.
        plan: Gives an epoch's plan from its number.
        whole: Make batches of whole frames instead of patches.
        threads: How many threads read frames. Decoding and resizing release Python's global lock, so that this many
            cores can be busy.
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
        due = np.array(list(first_use.values()))  # the batch that each frame is first needed in, ascending
        self.source.expect(np.array(list(first_use)))
        unread = iter(first_use)
        started = 0
        reads: dict[int, Future[ReadFrame]] = {}
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="frames")
        try:
            for number in range(len(plan.frames) - start):
                # Read what the next batches need, and some frames more, so that no thread waits for the training.
                needed = int(np.searchsorted(due, number + _BATCHES_AHEAD, side="right"))
                target = min(needed + 2 * self.threads, len(due))
                for frame in (next(unread) for _ in range(target - started)):
                    reads[frame] = pool.submit(self.reader.read, frame, epoch)
                started = target
                made = self._batch(plan.batch(start + number), reads)
                for frame in last_uses.get(number, ()):
                    del reads[frame]
                yield made
        finally:
            pool.shutdown(cancel_futures=True)
            if (broken := len(self.reader.skipped)) > broken_before:
                log.warning(f"data.on_error=skip: {broken} of {len(self.source.groups)} frames are left out")

    def _batch(self, plan: EpochPlan, reads: dict[int, Future[ReadFrame]]) -> PairBatch:
        """One batch, as soon as its frames are read."""
        rows_and_columns = self.source.grids[plan.frames[0]] if self.whole else np.array((1, 1))
        grid = (int(rows_and_columns[0]), int(rows_and_columns[1]))
        height, width = self.source.patch if plan.side is None else (plan.side, plan.side)
        shape = (len(plan.frames), height * grid[0], width * grid[1], 3)
        pinned = torch.cuda.is_available()
        blurred, sharp = (torch.empty(shape, dtype=torch.uint8, pin_memory=pinned) for _ in range(2))
        valid = plan.valid.copy()
        for row, (frame, patch) in enumerate(zip(plan.frames.tolist(), plan.patches.tolist(), strict=True)):
            read = reads[frame].result()
            if self.whole:
                pair = read.pixels
            elif plan.side is None:
                pair = cut_out(read.pixels, patch, columns=int(self.source.grids[frame, 1]), size=self.source.patch)
            else:
                pair = random_crop(read.pixels, plan.places[row], plan.side)
            blurred.numpy()[row], sharp.numpy()[row] = pair
            valid[row] &= read.intact
        return PairBatch(blurred, sharp, torch.from_numpy(plan.flips), torch.from_numpy(valid), grid)


def random_crop(pair: PixelPair, place: Floats, side: int) -> PixelPair:
    """A square crop of both sides of a pair, at a place from :func:`deblurlab.data.batches.crops.crop_places`."""
    top, left = offsets(place, np.array(pair.sharp.shape[:2]), side).tolist()
    window = np.s_[top : top + side, left : left + side]
    return PixelPair(pair.blurred[window], pair.sharp[window])


def _uses(frames: Integers) -> tuple[dict[int, int], dict[int, list[int]]]:
    """When the frames of an epoch are needed.

    Args:
        frames: (N, B) the frames of each batch.

    Returns:
        The first batch that needs each frame, in the order of need; and, for each batch, the frames that no later
        batch needs.
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
