"""What a trainer is given by each data module: tiny data sets of every kind, and a task that notes its batches."""

import hashlib
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from lightning.pytorch.strategies import SingleDeviceStrategy

from deblurlab.backends.xla.device_loader import ResumableDeviceLoader
from deblurlab.checks import require
from deblurlab.data import CIFAR10, Folder, Sample
from deblurlab.data.batches.drawn_loader import SharpBatch
from deblurlab.interfaces import Pair
from tests.data.frame_sets import prepared, shards
from tests.pictures import write_pictures, write_reds

KINDS = ("cifar10", "sample", "photographs", "pairs", "mixed", "frames", "shards")


def maker(kind: str, folder: Path, cifar10: Path) -> Callable[[], LightningDataModule]:
    """Writes a tiny data set of one of :data:`KINDS` below ``folder``; returns what makes a data module of it anew."""
    if kind == "cifar10":
        return lambda: CIFAR10(root=str(cifar10), batch_size=8, sigma_range=(0.0, 3.0), seed=3)
    if kind == "sample":
        return lambda: Sample(batch_size=500, sigma_range=(1.0, 3.0), seed=3)
    if kind in ("frames", "shards"):
        root = write_reds(folder / "reds", sequences=9, frames=2, test_sequences=1)
        if kind == "shards":
            prepared(root, folder / "shards")
            root = folder / "shards"
        return lambda: shards(root, batch_size=12, seed=3, mixed_frames=4)
    root = write_pictures(folder / kind, kind)
    return lambda: Folder(root=str(root), patch=[16, 32], batch_size=6, shake_max=5.0, noise_max=4.0, seed=3)


def digest(pair: Pair) -> str:
    """A batch in a few letters: its 8-bit pixels, which rows count, and its grid."""
    sha256 = hashlib.sha256(repr((pair.blurred.shape, pair.grid, pair.valid.tolist())).encode())
    for side in (pair.blurred, pair.sharp):
        sha256.update((side * 255).round().byte().numpy().tobytes())
    return sha256.hexdigest()[:16]


class Notes(LightningModule):
    """Learns nothing; notes the digest of every batch and, of training, what was drawn for each image.

    Attributes:
        training_epochs: The digests of each epoch's batches.
        evaluated: The digests of the batches of "val" and "test".
        order: The images of each training epoch in the order they came, as bytes before they are flipped.
        flips: Of each training epoch, each image's flips.
        blurs: Of each training epoch, each image's blur: its kernel, or its blurred side.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.training_epochs: defaultdict[int, list[str]] = defaultdict(list)
        self.evaluated: defaultdict[str, list[str]] = defaultdict(list)
        self.order: defaultdict[int, list[bytes]] = defaultdict(list)
        self.flips: defaultdict[int, dict[bytes, list[bool]]] = defaultdict(dict)
        self.blurs: defaultdict[int, dict[bytes, bytes]] = defaultdict(dict)

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        if self.trainer.training:
            blurs = batch.kernels if isinstance(batch, SharpBatch) else batch.blurred
            for sharp, blur, flips in zip(batch.sharp, blurs, batch.flips, strict=True):
                image, epoch = sharp.numpy().tobytes(), self.current_epoch
                self.order[epoch].append(image)
                self.flips[epoch][image] = flips.tolist()
                self.blurs[epoch][image] = blur.numpy().tobytes()
        return batch

    def training_step(self, batch: Pair, batch_idx: int) -> torch.Tensor:
        self.training_epochs[self.current_epoch].append(digest(batch))
        return (self.weight * batch.blurred.mean()).sum()

    def validation_step(self, batch: Pair, batch_idx: int) -> None:
        self.evaluated["val"].append(digest(batch))

    def test_step(self, batch: Pair, batch_idx: int) -> None:
        self.evaluated["test"].append(digest(batch))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.0)


def _trainer(**options: Any) -> Trainer:
    """A trainer on the CPU that writes nothing."""
    quiet: dict[str, Any] = {
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
    }
    return Trainer(**(quiet | options))


class Ahead(SingleDeviceStrategy):
    """Takes batches through the thread that XLA's strategy takes them through, and leaves them where they are."""

    def process_dataloader(self, dataloader: Any) -> ResumableDeviceLoader:
        return ResumableDeviceLoader(dataloader, send=lambda batch: batch)


@contextmanager
def _without_advice() -> Iterator[None]:
    """Lightning warns that the task has a hook which data modules have, too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "You have overridden `on_before_batch_transfer` in `LightningModule`")
        yield


@contextmanager
def _without_scores() -> Iterator[None]:
    """The task that notes its batches scores nothing: they may be smaller than SSIM needs them."""
    with patch.object(require, "SSIM_WINDOW", 1):
        yield


def fit(data: LightningDataModule, *, ckpt_path: Path | None = None, **options: Any) -> Notes:
    """What ``data`` gives a trainer with these options; resumed from a checkpoint, what it still gives."""
    notes = Notes()
    with _without_advice(), _without_scores():
        _trainer(**options).fit(notes, datamodule=data, ckpt_path=ckpt_path)
    return notes


def evaluate(data: LightningDataModule, notes: Notes, **options: Any) -> None:
    """Adds the batches of a test to ``notes``."""
    with _without_advice(), _without_scores():
        _trainer(**options).test(notes, datamodule=data, verbose=False)
