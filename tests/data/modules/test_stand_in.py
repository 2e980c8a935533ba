"""Blank images stand in for published data sets, as many and as large, without their files."""

import hydra
import torch
from omegaconf import OmegaConf

from deblurlab.data import CIFAR10, Sample
from tests.conftest import ROOT


def test_cifar10_stands_in_with_as_many_images_as_are_published() -> None:
    data = CIFAR10(root="nowhere", batch_size=50, sigma_range=(0.0, 3.0))
    data.stand_in()
    assert [tuple(data.images(split).shape) for split in ("train", "val", "test")] == [
        (43_750, 3, 32, 32),
        (6_250, 3, 32, 32),
        (10_000, 3, 32, 32),
    ]
    assert next(iter(data.batches("train"))).blurred.shape == (50, 3, 32, 32)


def test_frames_stand_in_at_the_size_that_is_trained() -> None:
    folder = ROOT / "src/deblurlab/conf/data"
    config = OmegaConf.merge(*(OmegaConf.load(folder / f"base/{name}.yaml") for name in ("video_frames", "reds")))
    config.update(root="nowhere", seed=0, batch_size=24)
    data = hydra.utils.instantiate(config, _convert_="all")
    data.stand_in()
    assert len(data.source("train").grids) == 21_000
    assert len(data.source("test").grids) == 3_000
    assert data.source("train").read(0, 0).sharp.shape == (288, 512, 3)
    batch = next(iter(data.batches("train")))
    assert (batch.blurred.shape, batch.sharp.shape) == ((24, 3, 96, 128), (24, 3, 96, 128))


def test_the_sample_s_whole_photograph_is_blurred_and_fits_every_network() -> None:
    pair = Sample(batch_size=1, sigma_range=(1.0, 3.0)).whole_picture()
    assert pair.blurred.shape == pair.sharp.shape == (1, 3, 288, 448)
    rough, smooth = ((images.diff(dim=-1) ** 2).mean() for images in (pair.sharp, pair.blurred))
    assert smooth < 0.5 * rough
    assert pair.sharp.dtype == torch.float32
