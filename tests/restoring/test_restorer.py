"""Arrays of each kind through a restorer: their type, shape and values, and what is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from deblurlab.nets import UNet16
from deblurlab.restoring import Restorer, Tiling, load_restorer
from deblurlab.restoring.tiling import Cut
from deblurlab.run import weights
from tests.pictures import picture


class Brighter(nn.Module):
    """Adds 0.25, so that the brightest values leave [0, 1]."""

    def forward(self, blurred: Tensor) -> Tensor:
        return blurred + 0.25


BRIGHTER = Restorer(Brighter())
UNIT = picture(0, 30, 41) / np.float32(255)


@pytest.mark.parametrize("top", [np.uint8(255), np.uint16(65535)])
def test_whole_numbers_are_scaled_by_their_largest(top: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, top, (30, 41, 3), dtype=top.dtype, endpoint=True)
    expected = np.minimum(np.round(pixels.astype(np.float64) + top / 4), top)
    restored = BRIGHTER.restore(pixels)
    assert restored.dtype == top.dtype
    assert np.abs(restored - expected).max() <= 1  # a half may be rounded either way in float32


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_stay_floats_and_are_clamped(dtype: Any) -> None:
    pixels = UNIT.astype(dtype)
    restored = BRIGHTER.restore(pixels)
    assert (restored.dtype, restored.shape) == (dtype, pixels.shape)
    precision = 1e-3 if dtype == np.float16 else 1e-6
    np.testing.assert_allclose(restored, np.minimum(pixels + dtype(0.25), 1), atol=precision)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_a_batch_is_each_of_its_images(dtype: torch.dtype) -> None:
    batch = torch.from_numpy(np.stack([UNIT, UNIT[::-1].copy()])).permute(0, 3, 1, 2).to(dtype)
    restored = BRIGHTER.restore(batch)
    assert (restored.dtype, restored.shape, restored.device) == (dtype, batch.shape, batch.device)
    torch.testing.assert_close(restored, (batch + 0.25).clamp(max=1))
    assert BRIGHTER.restore(batch[:0]).shape == (0, *batch.shape[1:])


def test_a_batch_may_take_gradients_and_gives_none() -> None:
    batch = torch.rand(1, 3, 16, 16, requires_grad=True)
    assert not BRIGHTER.restore(batch).requires_grad


def test_a_small_picture_is_taken_whole_and_nothing_is_measured() -> None:
    shapes: list[torch.Size] = []

    class Watched(nn.Module):
        size_multiple = 8

        def forward(self, blurred: Tensor) -> Tensor:
            shapes.append(blurred.shape)
            return blurred

    restorer = Restorer(Watched())
    for pixels in (picture(0, 32, 32), picture(0, 30, 300)):
        np.testing.assert_array_equal(restorer.restore(pixels), pixels)
    assert shapes == [(1, 3, 32, 32), (1, 3, 32, 304)]


def test_planned_tiles_give_the_whole_picture() -> None:
    """Without and within a memory that holds a part of the picture only."""
    torch.manual_seed(0)
    restorer = Restorer(UNet16(widths=[4, 8])).eval()
    pixels = picture(0, 260, 300)
    whole = restorer.restore(pixels, tiling=Tiling(side=0)).astype(int)
    assert (restorer.cut(260, 300).count, restorer.cut(260, 300, memory=2).count > 1) == (1, True)
    for memory in (None, 2):
        assert np.abs(restorer.restore(pixels, memory=memory).astype(int) - whole).max() <= 1


def test_the_log_says_how_far_a_network_looks(caplog: pytest.LogCaptureFixture) -> None:
    convolution = nn.Conv2d(3, 3, 3, padding=1)
    nn.init.constant_(convolution.weight, 1 / 27)
    with caplog.at_level("INFO"):
        Restorer(convolution).cut(260, 300)
    assert "the network looks 1 pixel far, and takes" in caplog.text


def test_turning_and_progress_reach_the_tiles() -> None:
    class Shift(nn.Module):
        def forward(self, blurred: Tensor) -> Tensor:
            return blurred.roll(1, -1)

    done: list[None] = []
    restored = Restorer(Shift()).restore(
        UNIT, tiling=Tiling(side=24, margin=2, blend=2), tta=True, on_tile=lambda: done.append(None)
    )
    assert len(done) == Cut.of(30, 41, Tiling(side=24, margin=2, blend=2), 1).count
    expected = (UNIT[:-2, 1:-1] + UNIT[2:, 1:-1] + UNIT[1:-1, :-2] + UNIT[1:-1, 2:]) / 4
    np.testing.assert_allclose(restored[1:-1, 1:-1], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (UNIT[..., 0], r"a picture is an array of \(height, width, 3\), got \(30, 41\)"),
        (UNIT[..., :1], r"got \(30, 41, 1\)\. Of a grey picture, numpy\.dstack"),
        (np.zeros((4, 4, 4), np.uint8), r"got \(4, 4, 4\)\. Of a picture with alpha, picture\[\.\.\., :3\]"),
        (np.zeros((3, 8, 9), np.uint8), r"got \(3, 8, 9\)\. If the channels are first, picture\.transpose\(1, 2, 0\)"),
        (np.zeros((2, 4, 4, 3), np.uint8), r"got \(2, 4, 4, 3\)\. Restore several pictures one by one"),
        (Image.new("RGB", (4, 4)), r"a NumPy array or a torch batch, got Image\. .* numpy\.asarray\(picture"),
        (UNIT.tolist(), "got list"),
        ("photo.jpg", "got str"),
        (None, "got NoneType"),
        (np.zeros((0, 4, 3), np.uint8), r"got \(0, 4, 3\)"),
        (UNIT * 255, r"float images have values in \[0, 1\], got 0 to 255: scale or clip them"),
        (np.where(UNIT > 0, UNIT, np.nan), r"values in \[0, 1\], got NaN: nan_to_num of NumPy or torch"),
        (np.zeros((4, 4, 3), np.int64), "uint8, uint16 or float in .*, got int64"),
        (np.zeros((4, 4, 3), bool), "got bool"),
        (torch.zeros(3, 8, 8), r"a batch is a tensor of \(images, 3, height, width\), got \(3, 8, 8\)"),
        (torch.zeros(1, 8, 8, 3), r"got \(1, 8, 8, 3\)"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "got torch.uint8; divide bytes by 255"),
        (torch.full((1, 3, 8, 8), 1.5), "got 1.5 to 1.5"),
        (torch.tensor([0.5, torch.nan]).expand(1, 3, 8, 2), "got NaN: nan_to_num"),
    ],
)
def test_what_is_no_picture_is_refused(images: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BRIGHTER.restore(images)


def test_what_can_be_loaded_is_a_name_a_file_a_path_or_weights(tmp_path: Any) -> None:
    network = UNet16(widths=[4, 8])
    file = tmp_path / "mine.safetensors"
    weights.save(network, {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}, file)
    blurred = torch.rand(1, 3, 8, 8)
    for one in (file, str(file), weights.load(str(file))):
        restorer = load_restorer(one)
        assert not restorer.training
        assert not any(parameter.requires_grad for parameter in restorer.parameters())
        torch.testing.assert_close(restorer.to("cpu")(blurred), network(blurred))
    with pytest.raises(ValueError, match="there is no such run, file or shipped name"):
        load_restorer("nothing")
    with pytest.raises(ValueError, match="trust must be a list of names of packages"):
        load_restorer(file, trust="mynet")
    assert load_restorer(file, device="meta").device.type == "meta"
