"""Sharp images in memory, blurred on the training device: the base of CIFAR-10 and the sample photographs."""

import zlib
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor

from deblurlab.checks import require
from deblurlab.data.arrays import Floats
from deblurlab.data.batches.crops import Crops, crop, crop_side, largest_side, require_crops
from deblurlab.data.batches.drawn_loader import DrawnImages, DrawnLoader, SharpBatch
from deblurlab.data.batches.draws import BatchDraw, evaluation_draws, training_draws
from deblurlab.data.batches.flips import flip
from deblurlab.data.batches.host import Host
from deblurlab.data.blur.gaussian import gaussian_blur, kernel_size
from deblurlab.data.modules.changed_frames import ImageSet, tell_changed_images
from deblurlab.data.modules.plain_loop import pairs
from deblurlab.data.modules.trainer_facts import epoch_of, host_of
from deblurlab.data.splits import EVALUATION_SEEDS
from deblurlab.interfaces import Pair, Split


class BlurredImages(LightningDataModule):
    """Abstract: sharp images of one size, each blurred by a Gaussian whose sigma is drawn uniformly.

    Training draws order, flips and (unless ``fixed_blur``) sigma again in every epoch. The blur of validation and test
    images is the same in every run and on every device.

    Args:
        batch_size: The number of images per step, over all devices of all hosts.
        sigma_range: The smallest and the largest sigma of the blur, in pixels.
        fixed_blur: Whether each training image has the same blur in all epochs, as in the study.
        seed: Seed of the training draws.
        workers: The number of processes that make batches. 0 makes them in the training process, which suits images in
            memory.
        rotations: Train on one of the eight flips and rotations of each image instead of one of the four flips.
        crops: Train on a random crop of each blurred image: its side in pixels, or ``{0: 16, 50: 24}`` for sides that
            change with the epoch. None trains on whole images.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        *,
        batch_size: int,
        sigma_range: tuple[float, float],
        fixed_blur: bool,
        seed: int,
        workers: int,
        rotations: bool,
        crops: Crops,
    ) -> None:
        super().__init__()
        require_crops(crops)
        self.rotations, self.crops = rotations, crops
        if not 0 <= sigma_range[0] < sigma_range[1] < np.inf:
            raise ValueError(f"data.sigma_range must be [low, high] with 0 <= low < high, got {sigma_range}.")
        require.whole_number("data.batch_size", batch_size, at_least=1)
        require.workers("data.workers", workers, at_least=0)
        self.batch_size, self.sigma_range, self.fixed_blur = batch_size, sigma_range, fixed_blur
        self.seed, self.workers = seed, workers
        self._images: dict[Split, Tensor] = {}
        self._image_sets: dict[Split, ImageSet] = {}

    @abstractmethod
    def load(self, split: Split) -> Tensor:
        """Read the sharp images of a split: (N, 3, H, W) uint8, at least one."""

    def images(self, split: Split) -> Tensor:
        """The sharp images of a split, (N, 3, H, W) uint8, read at the first call.

        Raises:
            ValueError: If ``load`` returns something else (float images would be trained on as nearly black), or the
                images are too small for the blur.
        """
        if split not in self._images:
            images = self.load(split)
            if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3 or not len(images):
                raise ValueError(
                    f"{type(self).__name__}.load('{split}') must return images, (N, 3, height, width) of torch.uint8, "
                    f"from 0 to 255, got {tuple(images.shape)} of {str(images.dtype).removeprefix('torch.')}."
                )
            self._require_room_for_blur(images.shape[-2:])
            self._images[split] = images
        return self._images[split]

    def _require_room_for_blur(self, size: torch.Size) -> None:
        taps = int(kernel_size(self.sigma_range[1]))
        if taps // 2 >= min(size):
            raise ValueError(
                f"data.sigma_range={list(self.sigma_range)}: a blur of sigma {self.sigma_range[1]:g} spreads a pixel "
                f"over {taps}x{taps}, too wide for images of {size[0]}x{size[1]}: lower it, or take larger images."
            )

    def sigma(self, split: Literal["val", "test"]) -> Floats:
        """The sigma of the blur of each validation or test image, (N,), in pixels."""
        rng = np.random.default_rng(EVALUATION_SEEDS[split])
        return rng.uniform(*self.sigma_range, len(self.images(split)))

    def setup(self, stage: str) -> None:
        """Read all splits that a run needs, so that an error comes before hours of training.

        Raises:
            ValueError: If images are missing, or too small to be scored.
        """
        splits: tuple[Split, ...] = ("train", "val", "test") if stage == "fit" else ("test",)
        for split in splits:
            height, width = self.images(split).shape[-2:]
            require.large_enough_for_ssim(f"an image of the split {split}", (height, width))

    def state_dict(self) -> dict[str, Any]:
        """The number and the checksum of the images of each split. Lightning saves them with each checkpoint."""
        return {"images": {split: list(one) for split, one in self._read_sets().items()}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Warn if the images are not those for which ``state_dict`` was saved."""
        tell_changed_images({split: ImageSet(*one) for split, one in state_dict["images"].items()}, self._read_sets())

    def _read_sets(self) -> dict[Split, ImageSet]:
        """What a checkpoint keeps of the splits that have been read; computed once."""
        for split, images in self._images.items():
            if split not in self._image_sets:
                self._image_sets[split] = ImageSet(len(images), zlib.crc32(images.contiguous().numpy().data))
        return self._image_sets

    def train_dataloader(self) -> DrawnLoader:
        """The training batches; ValueError if crops or rotations do not suit the size of the images."""
        dataset = self._drawn_images("train")
        size = tuple(dataset.images.shape[-2:])
        if self.rotations and self.crops is None and size[0] != size[1]:
            raise ValueError(f"data.rotations=true needs square images, these are {size[0]}x{size[1]}: set data.crops.")
        if (side := largest_side(self.crops)) is not None and side > min(size):
            raise ValueError(f"data.crops={side} is larger than the images, {size[0]}x{size[1]}.")

        def draws(epoch: int) -> list[BatchDraw]:
            return training_draws(
                images=len(dataset.images),
                batch_size=self.batch_size,
                sigma_range=self.sigma_range,
                seed=self.seed,
                epoch=epoch,
                fixed_blur=self.fixed_blur,
                rotations=self.rotations,
                side=crop_side(self.crops, epoch),
            )

        return DrawnLoader(dataset, draws, workers=self.workers, epoch=epoch_of(self.trainer))

    def val_dataloader(self) -> DrawnLoader:
        return self._evaluation_loader("val")

    def test_dataloader(self) -> DrawnLoader:
        return self._evaluation_loader("test")

    def batches(self, split: Split, *, epoch: int = 0, device: torch.device | str = "cpu") -> Iterator[Pair]:
        """The batches of a split for your own training loop, without Lightning's Trainer.

        Args:
            split: "train", "val" or "test".
            epoch: The number of the epoch, which determines order, flips and blur of the training batches. Validation
                and test batches are the same in every epoch.
            device: The device to which the batches are moved.

        Returns:
            Batches of ``batch_size`` images, float32 in [0, 1], on ``device``. The last batch of "val" or "test" may
            be filled up with rows whose ``valid`` is False: leave them out of scores.

        Raises:
            ValueError: If there is no such split, or the data cannot be read.
        """
        return pairs(self, split, epoch=epoch, device=device)

    def _evaluation_loader(self, split: Literal["val", "test"]) -> DrawnLoader:
        draws = evaluation_draws(sigma=self.sigma(split), batch_size=self.batch_size)
        return DrawnLoader(self._drawn_images(split), lambda _: draws, workers=self.workers, epoch=None)

    def _drawn_images(self, split: Split) -> DrawnImages:
        """A split's images, of which each host makes its share of a batch."""
        host = host_of(self.trainer)
        host.share(self.batch_size)  # raises an error here rather than in a loader's process
        return DrawnImages(self.images(split), sigma_max=self.sigma_range[1], host=host)

    def examples(self, split: Literal["val", "test"], rows: Sequence[int]) -> Pair:
        """The images of a split whose indices are ``rows``, in that order, on the CPU."""
        index = np.asarray(rows)
        draw = BatchDraw(
            images=index,
            sigma=self.sigma(split)[index],
            flips=np.zeros((len(index), 2), dtype=np.bool_),
            valid=np.ones(len(index), dtype=np.bool_),
            places=np.zeros((len(index), 2)),
        )
        images = DrawnImages(self.images(split), sigma_max=self.sigma_range[1], host=Host())
        return self.on_after_batch_transfer(images[draw], 0)

    def labels(self, split: Literal["val", "test"]) -> dict[str, Sequence[Any]]:
        """The sigma of each image's blur, in pixels."""
        return {"sigma": self.sigma(split).tolist()}

    def on_after_batch_transfer(self, batch: SharpBatch, dataloader_idx: int) -> Pair:
        """Flip, blur, crop and scale a batch, on the training device."""
        if batch.side is None:
            sharp = flip(batch.sharp, batch.flips)
            blurred = gaussian_blur(sharp, batch.kernels)
        else:  # a Gaussian is the same in all directions, so crops can be flipped after the blur
            sides = (batch.sharp, gaussian_blur(batch.sharp, batch.kernels))
            sharp, blurred = (flip(crop(one, batch.first, batch.side), batch.flips) for one in sides)
        return Pair(blurred=blurred / 255, sharp=sharp / 255, valid=batch.valid)
