"""Data sets of one's own derive from the two bases, by the names that ``deblurlab.data`` gives them."""

import numpy as np
import pytest
import torch
from torch import Tensor

from deblurlab.data import BlurredImages, PairedFrames, PairSource, PixelPair
from deblurlab.data.arrays import Integers
from deblurlab.interfaces import Split
from tests.pictures import picture

IMAGES = torch.stack([torch.from_numpy(picture(number, 16, 16)).permute(2, 0, 1) for number in range(4)])


class OwnImages(BlurredImages):
    def __init__(self, images: Tensor) -> None:
        super().__init__(
            batch_size=2, sigma_range=(0.0, 1.0), fixed_blur=False, seed=0, workers=0, rotations=False, crops=None
        )
        self.all_images = images

    def load(self, split: Split) -> Tensor:
        return self.all_images


class Squares(PairSource):
    """Two frames of 16x16, each of which is one patch."""

    patch = (16, 16)
    grids: Integers = np.ones((2, 2), dtype=np.int64)
    groups: Integers = np.arange(2)
    open_groups = 1

    def read(self, frame: int, epoch: int) -> PixelPair:
        return PixelPair(blurred=picture(frame + 10, 16, 16), sharp=picture(frame, 16, 16))

    def name(self, frame: int) -> str:
        return str(frame)


class OwnFrames(PairedFrames):
    def __init__(self) -> None:
        super().__init__(batch_size=2, seed=0, workers=1, mixed_frames=2, on_error="raise", rotations=False, crops=None)

    def open(self, split: Split) -> PairSource:
        return Squares()


def test_images_in_memory() -> None:
    sharp = torch.cat([pair.sharp[pair.valid] for pair in OwnImages(IMAGES).batches("val")])
    torch.testing.assert_close(sharp, IMAGES / 255)


def test_frames_that_are_read() -> None:
    (pair,) = OwnFrames().batches("val")
    torch.testing.assert_close(pair.sharp[pair.valid], IMAGES[:2] / 255)


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (IMAGES / 255, r"\(4, 3, 16, 16\) of float32"),
        (IMAGES.permute(0, 2, 3, 1), r"\(4, 16, 16, 3\) of uint8"),
        (IMAGES[:, :1], r"\(4, 1, 16, 16\) of uint8"),
        (IMAGES[0], r"\(3, 16, 16\) of uint8"),
        (IMAGES[:0], r"\(0, 3, 16, 16\) of uint8"),
    ],
)
def test_images_of_another_kind_are_refused(images: Tensor, found: str) -> None:
    with pytest.raises(ValueError, match=rf"OwnImages\.load\('val'\) must return .* got {found}"):
        list(OwnImages(images).batches("val"))
