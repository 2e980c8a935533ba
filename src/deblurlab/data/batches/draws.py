"""Batches drawn by (seed, epoch) alone, and a loader that can stop and go on between any two of them."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from deblurlab.data.batches.resumable import ResumableLoader
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


def training_draws(
    *, images: int, batch_size: int, sigma_range: tuple[float, float], seed: int, epoch: int, fixed_blur: bool
) -> list[Draw]:
    """Every image once in a new order, with new flips and, unless ``fixed_blur``, a new blur.

    An epoch is a function of (seed, epoch), so nothing needs to be remembered to draw it again. A last partial batch
    is dropped.

    Raises:
        ValueError: if the images make no batch.
    """
    if images < batch_size:
        raise ValueError(f"{images} training images make no batch of {batch_size}: lower data.batch_size.")
    rng = np.random.default_rng((seed, epoch))
    order = rng.permutation(images)
    flips = rng.random((images, 2)) < 0.5
    sigma = (np.random.default_rng((seed,)) if fixed_blur else rng).uniform(*sigma_range, images)
    valid = np.ones(batch_size, dtype=np.bool_)
    rows = order[: images // batch_size * batch_size].reshape(-1, batch_size)
    return [Draw(row, sigma[row], flips[row], valid) for row in rows]


def evaluation_draws(*, sigma: npt.NDArray[np.float64], batch_size: int) -> list[Draw]:
    """Every image once, in order, with its own ``sigma``; the last batch is filled up and masked."""
    flips = np.zeros((batch_size, 2), dtype=np.bool_)
    draws = []
    for start in range(0, len(sigma), batch_size):
        row = np.arange(start, start + batch_size)
        index = np.minimum(row, len(sigma) - 1)
        draws.append(Draw(index, sigma[index], flips, row < len(sigma)))
    return draws


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


class DrawnLoader(ResumableLoader[RawBatch]):
    """The batches that are drawn for each epoch, made of images in memory.

    Args:
        images: Makes a batch from its draw.
        draws: An epoch number to that epoch's draws.
        workers: Processes that make batches; 0 makes them in the training process.
        epoch: See :class:`ResumableLoader`.
    """

    def __init__(
        self,
        images: DrawnImages,
        draws: Callable[[int], list[Draw]],
        *,
        workers: int,
        epoch: Callable[[], int] | None,
    ) -> None:
        super().__init__(epoch=epoch)
        self.images, self.draws, self.workers = images, draws, workers
        self._length = len(draws(0))

    def __len__(self) -> int:
        return self._length

    def batches(self, epoch: int, *, start: int = 0) -> Iterator[RawBatch]:
        draws = self.draws(epoch)[start:]
        pinned = torch.cuda.is_available()
        return iter(
            DataLoader(self.images, batch_size=None, sampler=draws, num_workers=self.workers, pin_memory=pinned)
        )
