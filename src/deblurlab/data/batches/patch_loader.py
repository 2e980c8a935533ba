"""Patches of frames as a plan orders them: threads read ahead, and only frames still in use are kept."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from deblurlab.data.batches.epoch_plan import Integers, Plan
from deblurlab.data.batches.resumable import ResumableLoader
from deblurlab.data.sources.frames import Frame, Source

log = logging.getLogger(__name__)

OnError = Literal["raise", "skip"]

# A batch and the two after it are being read while the first trains.
_BATCHES_AHEAD = 2


class RawPairs(NamedTuple):
    """What leaves the loader: bytes and draws; the arithmetic happens on the training device.

    Attributes:
        blurred, sharp: (B, H, W, 3) uint8, patches or whole frames.
        flips: (B, 2) bool, flip horizontally and vertically.
        valid: (B,) bool, see :class:`deblurlab.interfaces.Pair`.
        grid: rows and columns of patches in each image; (1, 1) for patches.
    """

    blurred: Tensor
    sharp: Tensor
    flips: Tensor
    valid: Tensor
    grid: tuple[int, int]


class _Read(NamedTuple):
    frame: Frame
    whole: bool


class PatchLoader(ResumableLoader[RawPairs]):
    """The batches of a plan, read from a source; Lightning can save and restore it between any two of them.

    Args:
        source: the frames.
        plan: an epoch number to that epoch's batches.
        whole: batches of whole frames instead of patches.
        workers: threads that read. Decoding and resizing leave the interpreter free, so that they keep as
            many cores busy.
        on_error: "raise" stops at a broken frame. "skip" warns, puts the next readable frame of its shape in its
            place, or black where there is none, and marks those patches invalid.
        skipped: frames that are known to be broken; those found are added.
        epoch: See :class:`ResumableLoader`.
    """

    def __init__(
        self,
        source: Source,
        plan: Callable[[int], Plan],
        *,
        whole: bool,
        workers: int,
        on_error: OnError,
        skipped: set[int],
        epoch: Callable[[], int] | None,
    ) -> None:
        super().__init__(epoch=epoch)
        self.source, self.plan, self.whole = source, plan, whole
        self.workers, self.on_error = workers, on_error
        self.skipped = skipped
        self._length = len(plan(0).frames)

    def __len__(self) -> int:
        return self._length

    def batches(self, epoch: int, *, start: int = 0) -> Iterator[RawPairs]:
        plan, known = self.plan(epoch), len(self.skipped)
        first, last = _first_and_last_use(plan.frames[start:])
        due = np.array(list(first.values()))
        self.source.expect(np.array(list(first)))
        frames = iter(first)
        submitted = 0
        reads: dict[int, Future[_Read]] = {}
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="frames")
        try:
            for batch in range(len(plan.frames) - start):
                wanted = int(np.searchsorted(due, batch + _BATCHES_AHEAD, side="right")) + 2 * self.workers
                for frame in (next(frames) for _ in range(min(wanted, len(due)) - submitted)):
                    reads[frame] = pool.submit(self._read, frame, epoch)
                    submitted += 1
                made = self._batch(Plan(*(rows[start + batch] for rows in plan)), reads)
                for frame in last.get(batch, ()):
                    del reads[frame]
                yield made
        finally:
            pool.shutdown(cancel_futures=True)
            if len(self.skipped) > known:
                log.warning(f"data.on_error=skip: {len(self.skipped)} of {len(self.source.groups)} frames are left out")

    def _read(self, frame: int, epoch: int) -> _Read:
        try:
            return _Read(self.source.read(frame, epoch), True)
        except ValueError as error:
            if self.on_error == "raise":
                raise
            self._skip(frame, error)
            problem = error
        count = len(self.source.groups)
        for other in range(frame + 1, frame + count):
            if other % count in self.skipped or (self.source.grids[other % count] != self.source.grids[frame]).any():
                continue
            try:
                return _Read(self.source.read(other % count, epoch), False)
            except ValueError as error:
                self._skip(other % count, error)
        if len(self.skipped) == count:
            raise problem
        black = np.zeros((*(self.source.grids[frame] * self.source.patch), 3), dtype=np.uint8)
        return _Read(Frame(black, black), False)

    def _skip(self, frame: int, error: ValueError) -> None:
        if frame not in self.skipped:
            log.warning(f"data.on_error=skip: {error}")
        self.skipped.add(frame)

    def _batch(self, rows: Plan, reads: dict[int, Future[_Read]]) -> RawPairs:
        rows_and_columns = self.source.grids[rows.frames[0]] if self.whole else np.array((1, 1))
        grid = (int(rows_and_columns[0]), int(rows_and_columns[1]))
        height, width = self.source.patch
        pinned = torch.cuda.is_available()
        shape = (len(rows.frames), height * grid[0], width * grid[1], 3)
        blurred, sharp = (torch.empty(shape, dtype=torch.uint8, pin_memory=pinned) for _ in range(2))
        blurred_pixels, sharp_pixels = blurred.numpy(), sharp.numpy()
        valid = rows.valid.copy()
        for row, (frame, patch) in enumerate(zip(rows.frames.tolist(), rows.patches.tolist(), strict=True)):
            read = reads[frame].result()
            top, left = 0, 0
            if not self.whole:
                down, across = divmod(patch, int(self.source.grids[frame, 1]))
                top, left = down * height, across * width
            window = np.s_[top : top + shape[1], left : left + shape[2]]
            blurred_pixels[row], sharp_pixels[row] = read.frame.blurred[window], read.frame.sharp[window]
            valid[row] &= read.whole
        return RawPairs(blurred, sharp, torch.from_numpy(rows.flips), torch.from_numpy(valid), grid)


def _first_and_last_use(frames: Integers) -> tuple[dict[int, int], dict[int, list[int]]]:
    """Of (N, B) frames: each frame's first batch in order of need, and the frames each batch is the last to use."""
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
