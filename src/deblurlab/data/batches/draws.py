"""Batches drawn by (seed, epoch) alone, and a loader that can stop and go on between any two of them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from deblurlab.data.blur.gaussian import gaussian_kernels, kernel_size


class RawBatch(NamedTuple):
    """What leaves the loader: bytes and draws; the arithmetic happens on the training device.

    Attributes:
        sharp: (B, 3, H, W) uint8.
        kernels: (B, K) int16 blur kernels in 1/256.
        flips: (B, 2) bool, flip horizontally and vertically.
        valid: (B,) bool, see :class:`deblurlab.interfaces.Pair`.
    """

    sharp: Tensor
    kernels: Tensor
    flips: Tensor
    valid: Tensor


class Draw(NamedTuple):
    """One batch to make: image indices (B,), their blur's sigma (B,) and flips (B, 2), and which rows count."""

    images: npt.NDArray[np.int64]
    sigma: npt.NDArray[np.float64]
    flips: npt.NDArray[np.bool_]
    valid: npt.NDArray[np.bool_]

    def rows(self, share: slice) -> "Draw":
        return Draw(self.images[share], self.sigma[share], self.flips[share], self.valid[share])


class TrainingDraws(Sampler[Draw]):
    """Every image once an epoch in a new order, with new flips and, unless ``fixed_blur``, a new blur.

    An epoch is a function of (seed, epoch), so nothing needs to be remembered to draw it again. A last
    partial batch is dropped.
    """

    def __init__(
        self, *, images: int, batch_size: int, sigma_range: tuple[float, float], seed: int, fixed_blur: bool
    ) -> None:
        if images < batch_size:
            raise ValueError(f"{images} training images make no batch of {batch_size}: lower data.batch_size.")
        self.images, self.batch_size, self.sigma_range = images, batch_size, sigma_range
        self.seed, self.fixed_blur = seed, fixed_blur
        self.epoch = 0
        self.start = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.images // self.batch_size

    def __iter__(self) -> Iterator[Draw]:
        rng = np.random.default_rng((self.seed, self.epoch))
        order = rng.permutation(self.images)
        flips = rng.random((self.images, 2)) < 0.5
        blur_rng = np.random.default_rng((self.seed,)) if self.fixed_blur else rng
        sigma = blur_rng.uniform(*self.sigma_range, self.images)
        valid = np.ones(self.batch_size, dtype=np.bool_)
        for batch in range(self.start, len(self)):
            index = order[batch * self.batch_size : (batch + 1) * self.batch_size]
            yield Draw(index, sigma[index], flips[index], valid)


class EvaluationDraws(Sampler[Draw]):
    """Every image once, in order, with one blur for all time; the last batch is filled up and masked."""

    def __init__(self, *, sigma: npt.NDArray[np.float64], batch_size: int) -> None:
        self.sigma, self.batch_size = sigma, batch_size

    def __len__(self) -> int:
        return -(-len(self.sigma) // self.batch_size)

    def __iter__(self) -> Iterator[Draw]:
        for start in range(0, len(self.sigma), self.batch_size):
            row = np.arange(start, start + self.batch_size)
            index = np.minimum(row, len(self.sigma) - 1)
            flips = np.zeros((self.batch_size, 2), dtype=np.bool_)
            yield Draw(index, self.sigma[index], flips, row < len(self.sigma))


class DrawnImages(Dataset[RawBatch]):
    """Makes the batch that a :class:`Draw` describes from (N, 3, H, W) uint8 images in memory.

    Args:
        images: (N, 3, H, W) uint8.
        sigma_max: the widest blur that will be drawn.
        process: of several processes with the same draws, this one's index; it makes its share of the rows.
        processes: how many there are.
    """

    def __init__(self, images: Tensor, *, sigma_max: float, process: int = 0, processes: int = 1) -> None:
        self.images = images
        self.taps = int(kernel_size(sigma_max))
        self.process, self.processes = process, processes

    def __getitem__(self, draw: Draw) -> RawBatch:
        rows = len(draw.images) // self.processes
        draw = draw.rows(slice(self.process * rows, (self.process + 1) * rows))
        return RawBatch(
            sharp=self.images[torch.from_numpy(draw.images)],
            kernels=torch.from_numpy(gaussian_kernels(draw.sigma, self.taps)),
            flips=torch.from_numpy(draw.flips),
            valid=torch.from_numpy(draw.valid),
        )


class ResumableLoader(DataLoader[RawBatch]):
    """A DataLoader that Lightning can save and restore in the middle of an epoch."""

    sampler: TrainingDraws

    def __init__(self, dataset: DrawnImages, *, sampler: TrainingDraws, **options: Any) -> None:
        super().__init__(dataset, batch_size=None, sampler=sampler, **options)
        self._consumed = 0
        self._start = 0

    def __iter__(self) -> Iterator[RawBatch]:  # type: ignore[override]  # a generator: it starts at the first batch
        self.sampler.start = self._consumed = self._start
        self._start = 0
        for batch in super().__iter__():
            self._consumed += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        return {"consumed_batches": self._consumed}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self._start = state["consumed_batches"] % len(self)
