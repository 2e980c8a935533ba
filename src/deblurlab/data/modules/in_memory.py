"""Sharp images in memory, blurred on the fly: the data module under CIFAR-10 and the sample photographs."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor

from deblurlab.data.batches.draws import Draw, DrawnImages, DrawnLoader, RawBatch, evaluation_draws, training_draws
from deblurlab.data.blur.gaussian import gaussian_blur
from deblurlab.data.modules.plain_loop import pairs
from deblurlab.data.modules.trainer_facts import epoch_of
from deblurlab.interfaces import Pair, Split

# Seeds of the blurs that no run may change, so that scores of all runs can be compared.
_EVALUATION_SEEDS = {"val": 1, "test": 2}


class BlurredImages(LightningDataModule):
    """Abstract: sharp images of one size, each blurred by a Gaussian of sigma ~ U(*``sigma_range``).

    Training draws flips, order and (unless ``fixed_blur``) sigma anew every epoch from ``seed``. Validation
    and test blur are the same in every run and on every device.

    Args:
        batch_size: images a step, over all devices of all hosts.
        sigma_range: the narrowest and the widest blur, in pixels.
        fixed_blur: blur each training image once for all epochs, as the study did.
        seed: of the training draws.
        workers: loader processes; 0 is right for images in memory.
    """

    def __init__(
        self, *, batch_size: int, sigma_range: tuple[float, float], fixed_blur: bool, seed: int, workers: int
    ) -> None:
        super().__init__()
        if not 0 <= sigma_range[0] < sigma_range[1]:
            raise ValueError(f"data.sigma_range must be [low, high] with 0 <= low < high, got {sigma_range}.")
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"data.batch_size must be a whole number from 1, got {batch_size}.")
        self.batch_size, self.sigma_range, self.fixed_blur = batch_size, sigma_range, fixed_blur
        self.seed, self.workers = seed, workers
        self._images: dict[Split, Tensor] = {}

    @abstractmethod
    def load(self, split: Split) -> Tensor:
        """Read a split: (N, 3, H, W) uint8."""

    def images(self, split: Split) -> Tensor:
        """A split's sharp images, (N, 3, H, W) uint8, read once."""
        if split not in self._images:
            self._images[split] = self.load(split)
        return self._images[split]

    def sigma(self, split: Literal["val", "test"]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The blur of each validation or test image, (N,)."""
        rng = np.random.default_rng(_EVALUATION_SEEDS[split])
        return rng.uniform(*self.sigma_range, len(self.images(split)))

    def setup(self, stage: str) -> None:
        """Read every split that a run will come to, before hours of training."""
        splits: tuple[Split, ...] = ("train", "val", "test") if stage == "fit" else ("test",)
        for split in splits:
            self.images(split)

    def train_dataloader(self) -> DrawnLoader:
        images = self._dataset("train")
        draws = partial(
            training_draws,
            images=len(images.images),
            batch_size=self.batch_size,
            sigma_range=self.sigma_range,
            seed=self.seed,
            fixed_blur=self.fixed_blur,
        )
        return DrawnLoader(images, lambda epoch: draws(epoch=epoch), workers=self.workers, epoch=epoch_of(self.trainer))

    def val_dataloader(self) -> DrawnLoader:
        return self._evaluation_loader("val")

    def test_dataloader(self) -> DrawnLoader:
        return self._evaluation_loader("test")

    def batches(self, split: Split, *, epoch: int = 0, device: torch.device | str = "cpu") -> Iterator[Pair]:
        """The batches of a split for a loop of one's own, without Lightning's Trainer.

        Args:
            split: "train", "val" or "test".
            epoch: The epoch whose order, flips and blur are drawn. The same epoch gives the same batches, another epoch
                gives others. Validation and test batches are the same in every epoch.
            device: Where the batches are wanted.

        Returns:
            Batches of ``batch_size`` images, float32 in [0, 1], on ``device``. The last batch of "val" or "test" may
            be filled up with rows whose ``valid`` is False: leave them out of scores.

        Raises:
            ValueError: if there is no such split, or the data cannot be read.
        """
        return pairs(self, split, epoch=epoch, device=device)

    def _evaluation_loader(self, split: Literal["val", "test"]) -> DrawnLoader:
        draws = evaluation_draws(sigma=self.sigma(split), batch_size=self.batch_size)
        return DrawnLoader(self._dataset(split), lambda _: draws, workers=self.workers, epoch=None)

    def _dataset(self, split: Split) -> DrawnImages:
        """A split's images, of which each process of a distributed run makes its share."""
        process, processes = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        if self.batch_size % processes:
            raise ValueError(f"data.batch_size={self.batch_size} cannot be split over {processes} hosts.")
        return DrawnImages(self.images(split), sigma_max=self.sigma_range[1], process=process, processes=processes)

    def examples(self, split: Literal["val", "test"], rows: Sequence[int]) -> Pair:
        index = np.asarray(rows)
        draw = Draw(
            images=index,
            sigma=self.sigma(split)[index],
            flips=np.zeros((len(index), 2), dtype=np.bool_),
            valid=np.ones(len(index), dtype=np.bool_),
        )
        dataset = DrawnImages(self.images(split), sigma_max=self.sigma_range[1])
        return self.on_after_batch_transfer(dataset[draw], 0)

    def labels(self, split: Literal["val", "test"]) -> dict[str, Sequence[Any]]:
        return {"sigma": self.sigma(split).tolist()}

    def on_after_batch_transfer(self, batch: RawBatch, dataloader_idx: int) -> Pair:
        """Flip, blur and scale on the training device."""
        sharp = batch.sharp
        for dim, flip in ((-1, batch.flips[:, 0]), (-2, batch.flips[:, 1])):
            sharp = torch.where(flip[:, None, None, None], sharp.flip(dim), sharp)
        blurred = gaussian_blur(sharp, batch.kernels)
        return Pair(blurred=blurred / 255, sharp=sharp / 255, valid=batch.valid)
