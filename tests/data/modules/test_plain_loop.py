"""A loop of one's own sees the batches that Lightning's Trainer feeds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from PIL import Image

from deblurlab.data import CIFAR10, Folder, Layout, VideoFrames
from deblurlab.interfaces import Pair
from tests.pictures import picture


class Recorder(LightningModule):
    """Trains nothing and keeps every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.seen: dict[tuple[str, int], list[Pair]] = {}

    def _keep(self, split: str, batch: Pair) -> None:
        self.seen.setdefault((split, self.current_epoch), []).append(batch)

    def training_step(self, batch: Pair) -> None:
        self._keep("train", batch)

    def validation_step(self, batch: Pair) -> None:
        self._keep("val", batch)

    def test_step(self, batch: Pair) -> None:
        self._keep("test", batch)

    def configure_optimizers(self) -> None:
        return None


def cifar10(folder: Path, make_reds: Callable[..., Path]) -> CIFAR10:
    from tests.conftest import encode, write_parquet

    for split in ("train", "test"):
        write_parquet(folder / f"{split}.parquet", [encode(picture(number, 32, 32)) for number in range(20)])
    return CIFAR10(root=str(folder), batch_size=8, sigma_range=(0.0, 3.0))


def frames(folder: Path, make_reds: Callable[..., Path]) -> VideoFrames:
    from omegaconf import OmegaConf

    from tests.conftest import ROOT

    layout = OmegaConf.load(ROOT / "src/deblurlab/conf/data/base/reds.yaml").layout
    options = {str(name): value for name, value in OmegaConf.to_container(layout).items() if name != "_target_"}
    root = make_reds(sequences=2, frames=4, test_sequences=1)
    return VideoFrames(root=str(root), layout=Layout(**options), size=(36, 64), grid=(3, 4), batch_size=5)


def photographs(folder: Path, make_reds: Callable[..., Path]) -> Folder:
    for number in range(10):
        Image.fromarray(picture(number, 48, 72)).save(folder / f"{number}.png")
    return Folder(root=str(folder), patch=(24, 24), batch_size=4, noise_max=2.0)


def trained_on(data: LightningDataModule) -> Recorder:
    recorder = Recorder()
    trainer = Trainer(
        max_epochs=2,
        accelerator="cpu",
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(recorder, data)
    trainer.test(recorder, data, verbose=False)
    return recorder


def same(one: Pair, other: Pair) -> bool:
    tensors = zip(one[:3], other[:3], strict=True)
    return one.grid == other.grid and all(torch.equal(first, second) for first, second in tensors)


@pytest.mark.filterwarnings("ignore:.*does not have many workers.*", "ignore:.*this fit will run with no optimizer.*")
@pytest.mark.parametrize("make", [cifar10, frames, photographs])
def test_batches_are_those_of_a_trainer(make: Any, make_reds: Callable[..., Path], tmp_path: Path) -> None:
    recorder = trained_on(make(tmp_path, make_reds))
    data = make(tmp_path, make_reds)
    for split, epoch in (("train", 0), ("train", 1), ("val", 0), ("test", 0)):
        seen = next(batches for (name, at), batches in recorder.seen.items() if name == split and at >= epoch)
        alone = list(data.batches(split, epoch=epoch))
        assert len(alone) == len(seen) > 0
        assert all(map(same, alone, seen)), (split, epoch)
    first, second = (next(iter(data.batches("train", epoch=epoch))) for epoch in (0, 1))
    assert not same(first, second)


def test_an_unknown_split_is_refused_at_once(tmp_path: Path, make_reds: Callable[..., Path]) -> None:
    data = photographs(tmp_path, make_reds)
    with pytest.raises(ValueError, match="split must be train, val or test, got training"):
        data.batches("training")  # type: ignore[arg-type]


def test_batches_arrive_on_the_device(tmp_path: Path, make_reds: Callable[..., Path]) -> None:
    """The device "meta" has no numbers, but says where a tensor was sent."""
    batch = next(iter(cifar10(tmp_path, make_reds).batches("val", device="meta")))
    assert {batch.blurred.device.type, batch.sharp.device.type, batch.valid.device.type} == {"meta"}
    assert batch.blurred.shape == (8, 3, 32, 32)
    assert np.prod(batch.valid.shape) == 8
