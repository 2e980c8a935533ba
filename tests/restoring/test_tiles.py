from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from deblurlab.nets import NAFNet, REDNet30
from deblurlab.restoring import Restorer, load_restorer
from deblurlab.restoring.tiles import averaged, restore
from deblurlab.restoring.tiling import Cut, Tiling
from deblurlab.run import weights
from tests.pictures import picture

CPU = torch.device("cpu")
WHOLE = Tiling(side=0)


def run(network: nn.Module, pixels: np.ndarray, tiling: Tiling, **options: Any) -> np.ndarray:
    restorer = Restorer(network).eval()
    cut = Cut.of(*pixels.shape[:2], tiling, restorer.size_multiple)
    return restore(restorer.restore_of, pixels, cut=cut, device=CPU, **options)


class Halved(nn.Identity):
    size_multiple = 16


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (48, 48), (49, 131), (150, 97)])
@pytest.mark.parametrize("tiling", [Tiling(side=96, margin=16, blend=8), Tiling(side=64, margin=0, blend=0), WHOLE])
def test_the_identity_gives_the_picture(tiling: Tiling, size: tuple[int, int], dtype: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (*size, 3), dtype=dtype, endpoint=True)
    for network in (nn.Identity(), Halved()):
        np.testing.assert_array_equal(run(network, pixels, tiling), pixels)


class Small(nn.Module):
    """Looks 3 pixels far, or a whole block of 4."""

    size_multiple = 4

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 3, 7, padding=3)

    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        pooled = nn.functional.max_pool2d(blurred, 4)
        return self.conv(blurred) + nn.functional.interpolate(pooled, scale_factor=4)


@pytest.mark.parametrize("size", [(70, 100), (20, 33), (129, 64)])
def test_tiles_as_wide_as_the_network_looks_change_nothing(size: tuple[int, int]) -> None:
    """The tiles of a network that pools start where the whole picture's blocks do."""
    pixels = picture(0, *size)
    one = run(Small(), pixels, WHOLE).astype(int)
    other = run(Small(), pixels, Tiling(side=44, margin=4, blend=6)).astype(int)
    assert np.abs(one - other).max() <= 1  # of rounding


def test_every_tile_of_a_picture_has_one_shape() -> None:
    shapes: list[torch.Size] = []

    class Watched(nn.Module):
        def forward(self, blurred: torch.Tensor) -> torch.Tensor:
            shapes.append(blurred.shape)
            return blurred

    tiling, restorer, seen = Tiling(side=64, margin=8, blend=8), Restorer(Watched()).eval(), []
    for size in ((40, 300), (64, 64), (130, 77)):
        shapes.clear()
        restore(restorer.restore_of, picture(0, *size), cut=Cut.of(*size, tiling, 1), device=CPU)
        assert len(shapes) == Cut.of(*size, tiling, 1).count
        seen.append(*set(shapes))
    assert seen == [(1, 3, 40, 64), (1, 3, 64, 64), (1, 3, 64, 64)]


def test_a_picture_that_is_shorter_than_a_tile_ends_where_it_ends() -> None:
    """The network sees its own padding below the last row, as in the whole picture, and not a reflection."""
    mean = nn.Conv2d(3, 3, 3, padding=1, groups=3, bias=False)
    nn.init.constant_(mean.weight, 1 / 9)
    pixels = picture(0, 40, 150)
    tiles = run(mean, pixels, Tiling(side=64, margin=4, blend=4)).astype(int)
    assert np.abs(tiles - run(mean, pixels, WHOLE)).max() <= 1  # of rounding


@pytest.mark.parametrize("full", [False, True])
def test_tiles_in_batches_are_the_tiles_one_by_one(full: bool) -> None:
    """With XLA in mind each batch is full, whatever is left of the tiles."""
    batches: list[int] = []

    class Watched(Small):
        def forward(self, blurred: torch.Tensor) -> torch.Tensor:
            batches.append(len(blurred))
            return super().forward(blurred)

    pixels, done, restorer = picture(0, 60, 190), [], Restorer(Watched()).eval()
    cut = Cut.of(60, 190, Tiling(side=44, margin=4, blend=4), 4)
    one = restore(restorer.restore_of, pixels, cut=cut, device=CPU)
    batches.clear()
    cut = replace(cut, batch=4, full_batches=full)
    many = restore(restorer.restore_of, pixels, cut=cut, device=CPU, on_tile=lambda: done.append(None))
    np.testing.assert_array_equal(many, one)
    assert (cut.across.count, cut.down.count, len(done)) == (6, 2, 12)
    assert batches == ([4, 4, 4, 4] if full else [4, 2, 4, 2])


def test_a_picture_taken_whole_is_what_the_network_gives() -> None:
    """Nothing is added at its borders, so that restoring gives what training and evaluating have scored."""
    pixels = picture(0, 52, 60)
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    network = Small().eval()
    with torch.no_grad():
        given = (network(image)[0].permute(1, 2, 0).clamp(0, 1) * 255).round().to(torch.uint8)
    np.testing.assert_array_equal(run(network, pixels, WHOLE), given.numpy())


def test_averaging_turns_every_version_back() -> None:
    images = torch.rand(1, 3, 8, 12)
    torch.testing.assert_close(averaged([nn.Identity()] * 8, images), images)
    # what a fixed sideways shift does to the picture, averaged over all directions, is the same in all of them
    shifted = averaged([Shift()] * 8, torch.nn.functional.pad(torch.ones(1, 3, 1, 1), (2, 2, 2, 2)))
    cross = torch.tensor([[0, 1, 0], [1, 0, 1], [0, 1, 0]]) / 4
    torch.testing.assert_close(shifted[0, 0, 1:4, 1:4], cross)


class Darker(nn.Module):
    """Subtracts what it has estimated of the whole picture: the brightness of its first column."""

    size_multiple = 4

    def __init__(self) -> None:
        super().__init__()
        self.estimated: list[torch.Size] = []

    def estimate(self, blurred: torch.Tensor) -> torch.Tensor:
        self.estimated.append(blurred.shape)
        return blurred[..., :1].mean()

    def forward(self, blurred: torch.Tensor, estimate: torch.Tensor | None = None) -> torch.Tensor:
        return blurred - (self.estimate(blurred) if estimate is None else estimate)


def test_tiles_share_what_is_estimated_of_the_whole_picture() -> None:
    pixels = np.full((70, 100, 3), 100, np.uint8)
    pixels[:, 0] = 40
    network = Darker()
    for tiling in (Tiling(side=44, margin=4, blend=6), WHOLE):
        np.testing.assert_array_equal(run(network, pixels, tiling), pixels - np.uint8(40))
    assert network.estimated == [(1, 3, 70, 100)] * 2


def test_averaged_tiles_have_an_estimate_for_each_turn() -> None:
    """The first column of the turned pictures is in turn each of the four sides, twice."""
    pixels = np.full((20, 40, 3), 100, np.uint8)
    pixels[:, 0] = 64
    left, right, above = 64, 100, (64 + 39 * 100) / 40
    assert run(Darker(), pixels, WHOLE, tta=True)[5, 5, 0] == round(100 - (left + right + 2 * above) / 4)


@pytest.mark.parametrize(("size", "middle"), [((1, 1), (2, 2)), ((1, 1300), (2, 1024)), ((30, 2), (30, 2))])
def test_the_middle_of_a_picture_is_what_is_estimated(size: tuple[int, int], middle: tuple[int, int]) -> None:
    network = Darker()
    run(network, np.full((*size, 3), 100, np.uint8), Tiling(side=512, margin=48, blend=0))
    assert network.estimated == [(1, 3, *middle)]


class Shift(nn.Module):
    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        return blurred.roll(1, -1)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "height", "width"), [("cifar10_unet16", 720, 1280), ("REDNet30", 360, 640)])
def test_a_real_frame_in_tiles_is_the_whole_frame(name: str, height: int, width: int, real_data: Any) -> None:
    """Every pixel of a frame, or for the costly network of a quarter of it: at most one 8-bit step, at seams, too."""
    torch.manual_seed(0)
    restorer = load_restorer(name, device="cpu") if name in weights.shipped() else Restorer(REDNet30()).eval()
    pixels = np.asarray(Image.open(real_data / "gopro/test/GOPR0384_11_00/blur/000001.png").convert("RGB"))
    pixels = pixels[:height, :width]
    one, former, planned = (restorer.restore(pixels, tiling=each).astype(int) for each in (WHOLE, Tiling(), None))
    assert np.abs(one - former).max() <= 1
    assert np.abs(one - planned).max() <= 1


@pytest.mark.slow
def test_a_real_frame_in_tiles_through_a_network_that_takes_means_over_a_window(real_data: Any) -> None:
    """Each window near a seam holds other pixels in each tile, so that a few values differ by more than one step."""
    restorer = load_restorer("photographs", device="cpu")
    pixels = np.asarray(Image.open(real_data / "gopro/test/GOPR0384_11_00/blur/000001.png").convert("RGB"))
    cut = restorer.cut(*pixels.shape[:2], memory=100)
    assert cut.count > 1
    assert isinstance(restorer.network, NAFNet)
    assert cut.across.margin == restorer.network.window / 2
    one, planned = (restorer.restore(pixels, tiling=tiling, memory=100).astype(int) for tiling in (WHOLE, None))
    differences = np.abs(one - planned)
    assert (differences > 1).mean() <= 0.005
    assert differences.max() <= 8
