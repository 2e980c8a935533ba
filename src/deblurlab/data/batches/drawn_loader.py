"""Makes the batches of each epoch from images in memory."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from deblurlab.data.batches.crops import offsets
from deblurlab.data.batches.draws import BatchDraw
from deblurlab.data.batches.host import Host
from deblurlab.data.batches.resumable import ResumableLoader
from deblurlab.data.blur.gaussian import gaussian_kernels, kernel_size


class SharpBatch(NamedTuple):
    """A batch of sharp images with the blur to apply. The host sends bytes; the training device does the arithmetic.

    Attributes:
        sharp: (B, 3, H, W) uint8.
        kernels: (B, K) int16, the kernels of each image's Gaussian blur in units of 1/256.
        flips: (B, 2) or (B, 3) bool, see :func:`deblurlab.data.batches.flips.flip`.
        valid: (B,) bool, see :class:`deblurlab.interfaces.Pair`.
        first: (B, 2), the first row and column of each image's crop.
        side: The side of the crops in pixels; None leaves the images whole.
    """

    sharp: Tensor
    kernels: Tensor
    flips: Tensor
    valid: Tensor
    first: Tensor
    side: int | None


class DrawnImages(Dataset[SharpBatch]):
    """Images in memory. An index into this data set is a :class:`BatchDraw`, an item is the batch that it describes.

    Args:
        images: (N, 3, H, W) uint8.
        sigma_max: The largest sigma that is ever drawn, in pixels. It determines K, the same for all batches.
        host: This process. All hosts have the same draws; each makes its share of the rows.
    """

    def __init__(self, images: Tensor, *, sigma_max: float, host: Host) -> None:
        self.images, self.host = images, host
        self.taps = int(kernel_size(sigma_max))

    def __getitem__(self, draw: BatchDraw) -> SharpBatch:
        draw = draw.rows(self.host.rows(len(draw.images)))
        size = np.array(self.images.shape[-2:])
        return SharpBatch(
            sharp=self.images[torch.from_numpy(draw.images)],
            kernels=torch.from_numpy(gaussian_kernels(draw.sigma, self.taps)),
            flips=torch.from_numpy(draw.flips),
            valid=torch.from_numpy(draw.valid),
            first=torch.from_numpy(offsets(draw.places, size, draw.side or min(size))),
            side=draw.side,
        )


class DrawnLoader(ResumableLoader[SharpBatch]):
    """The batches that were drawn for each epoch.

    Args:
        dataset: Makes a batch from its draw.
        draws: Returns the draws of an epoch, given its number.
        workers: The number of processes that make batches; 0 makes them in the training process.
        epoch: See :class:`ResumableLoader`.
    """

    def __init__(
        self,
        dataset: DrawnImages,
        draws: Callable[[int], list[BatchDraw]],
        *,
        workers: int,
        epoch: Callable[[], int] | None,
    ) -> None:
        super().__init__(epoch=epoch)
        self.dataset, self.draws, self.workers = dataset, draws, workers
        self._length = len(draws(0))

    def __len__(self) -> int:
        return self._length

    def batches(self, epoch: int, *, start: int = 0) -> Iterator[SharpBatch]:
        draws = self.draws(epoch)[start:]
        pinned = torch.cuda.is_available()
        return iter(
            DataLoader(self.dataset, batch_size=None, sampler=draws, num_workers=self.workers, pin_memory=pinned)
        )
