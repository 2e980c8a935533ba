"""Random crops, the eight flips and rotations, and sides that change with the epoch, in every data module."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from deblurlab.data import CIFAR10, Folder
from deblurlab.data.batches.crops import crop, crop_side, offsets, require_crops
from deblurlab.data.batches.flips import flip
from deblurlab.data.modules.in_memory import BlurredImages
from deblurlab.data.modules.streamed import PairedFrames
from tests.pictures import picture


def cifar10(root: Path, **options: Any) -> CIFAR10:
    return CIFAR10(root=str(root), batch_size=8, sigma_range=(0.0, 3.0), **options)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Six pairs of pictures whose sides are equal."""
    for number in range(6):
        for side in ("blurred", "sharp"):
            file = tmp_path / "train" / side / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(number, 48, 40)).save(file)
    return tmp_path


def folder(root: Path, **options: Any) -> Folder:
    return Folder(root=str(root), patch=[16, 20], batch_size=8, **options)


def test_the_eight_flips_and_rotations_are_eight() -> None:
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    choices = torch.cartesian_prod(*[torch.tensor([False, True])] * 3)
    seen = {tuple(flip(image, choice[None]).flatten().tolist()) for choice in choices}
    expected = {
        tuple(one.flatten().tolist())
        for turns in range(4)
        for one in (image.rot90(turns, (2, 3)), image.rot90(turns, (2, 3)).mT)
    }
    assert seen == expected
    assert len(seen) == 8


def test_a_crop_is_the_slice_at_its_place() -> None:
    images, first = torch.rand(3, 2, 7, 9), torch.tensor([[0, 0], [3, 5], [1, 2]])
    for image, cropped, (row, column) in zip(images, crop(images, first, 4), first.tolist(), strict=True):
        assert torch.equal(cropped, image[:, row : row + 4, column : column + 4])


def test_every_place_is_equally_likely_and_within_the_image() -> None:
    places = np.stack([np.linspace(0, 1, 600, endpoint=False)] * 2, axis=1)
    counts = [np.bincount(axis) for axis in offsets(places, np.array([8, 6]), 6).T]
    assert [count.tolist() for count in counts] == [[200, 200, 200], [600]]


@pytest.mark.parametrize("kind", ["cifar10", "folder"])
def test_training_crops_differ_by_epoch_and_repeat_by_seed(kind: str, tiny_cifar10: Path, pictures: Path) -> None:
    def made(seed: int = 0) -> BlurredImages | PairedFrames:
        if kind == "cifar10":
            return cifar10(tiny_cifar10, crops=16, rotations=True, seed=seed)
        return folder(pictures, crops=16, rotations=True, seed=seed)

    def epoch(number: int, seed: int = 0) -> list[torch.Tensor]:
        return [pair.sharp for pair in made(seed).batches("train", epoch=number)]

    first = epoch(0)
    assert {image.shape for image in first} == {(8, 3, 16, 16)}
    assert all(torch.equal(*both) for both in zip(first, epoch(0), strict=True))
    for other in (epoch(1), epoch(0, seed=1)):
        assert not torch.equal(first[0], other[0])


def test_a_training_resumes_within_an_epoch_of_crops(tiny_cifar10: Path, pictures: Path) -> None:
    for data in (cifar10(tiny_cifar10, crops=16, rotations=True), folder(pictures, crops=16)):
        loader = data.train_dataloader()
        whole, rest = list(loader.batches(3)), list(loader.batches(3, start=1))
        assert len(whole) == len(rest) + 1 > 1
        assert all(torch.equal(one.sharp, other.sharp) for one, other in zip(whole[1:], rest, strict=True))


def test_a_crop_comes_from_its_image_and_both_sides_from_one_place(tiny_cifar10: Path, pictures: Path) -> None:
    """The pictures' sides are equal, so that crops at different places would differ. Whatever was cropped is found."""
    batch = next(folder(pictures, crops=16, rotations=True).batches("train"))
    assert torch.equal(batch.blurred, batch.sharp)
    data = CIFAR10(root=str(tiny_cifar10), batch_size=8, sigma_range=(0.0, 1e-6), crops=16)
    images = data.images("train").float() / 255
    for sharp in next(data.batches("train")).sharp[:2]:
        upright = torch.stack([sharp, sharp.flip(-1), sharp.flip(-2), sharp.flip(-1, -2)])
        windows = images.unfold(2, 16, 1).unfold(3, 16, 1)
        assert any((windows == one[None, :, None, None]).flatten(4).all(4).all(1).any() for one in upright)


def test_the_blur_is_that_of_the_whole_image(tiny_cifar10: Path) -> None:
    """A crop as large as the image is the image: the same blur, whether it is cropped after or not at all."""
    whole, cropped = (next(cifar10(tiny_cifar10, crops=crops).batches("train")) for crops in (None, 32))
    torch.testing.assert_close(cropped.blurred, whole.blurred, rtol=0, atol=1 / 255)
    assert torch.equal(cropped.sharp, whole.sharp)


def test_without_crops_and_rotations_nothing_moves(tiny_cifar10: Path) -> None:
    """What is drawn beside order, flips and blur has streams of its own."""
    plain, turned = (next(cifar10(tiny_cifar10, rotations=rotations).batches("train")) for rotations in (False, True))
    same = [
        torch.equal(*both) or torch.equal(both[0].mT, both[1]) for both in zip(plain.sharp, turned.sharp, strict=True)
    ]
    assert all(same)
    assert not torch.equal(plain.sharp, turned.sharp)


def test_sides_grow_with_the_epoch_and_evaluation_is_whole(tiny_cifar10: Path, pictures: Path) -> None:
    for data, whole in (
        (cifar10(tiny_cifar10, crops={0: 12, 2: 16, 5: 24}), 32),
        (folder(pictures, crops={2: 16, 0: 12, 5: 24}), 20),
    ):
        sides = [next(data.batches("train", epoch=epoch)).sharp.shape[-1] for epoch in (0, 1, 2, 4, 5, 9)]
        assert sides == [12, 12, 16, 16, 24, 24]
        assert next(data.batches("val")).sharp.shape[-1] == whole
    assert (crop_side(None, 3), crop_side(16, 3)) == (None, 16)


@pytest.mark.parametrize(
    ("crops", "message"),
    [
        ({1: 16}, "from epoch 0 on"),
        ({0: "16"}, "a side in pixels, or"),
        (16.5, "a side in pixels, or"),
        (8, "at least 11"),
        ({}, "from epoch 0 on"),
    ],
)
def test_sides_that_make_no_sense_are_refused(crops: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        require_crops(crops)


def test_sides_that_do_not_fit_are_refused(tiny_cifar10: Path, pictures: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.crops=40 is larger than the images, 32x32"):
        cifar10(tiny_cifar10, crops={0: 16, 9: 40}).train_dataloader()
    with pytest.raises(ValueError, match=r"data\.crops=41 is larger than the smallest frame's 40 pixels"):
        folder(pictures, crops=41).train_dataloader()
    with pytest.raises(ValueError, match=r"rotations=true needs square patches, these are \(16, 20\): set data\.crops"):
        folder(pictures, rotations=True).train_dataloader()
