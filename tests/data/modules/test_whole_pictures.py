"""data.whole_pictures=true: a test of whole pictures, whatever their sizes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from deblurlab.data import CameraBlur, Folder
from deblurlab.data.pixels import decode_file
from deblurlab.data.preparing.check_pictures import check_pictures
from deblurlab.interfaces import Pair
from deblurlab.losses import LogCosh
from deblurlab.nets import UNet16
from deblurlab.restoring import Restorer, load_restorer
from deblurlab.restoring.tiling import Tiling
from deblurlab.run.results import read_per_image
from deblurlab.tasks.restoration import TrainedNetwork
from tests.conftest import Call
from tests.pictures import picture

SIZES = [(37, 50), (50, 37), (37, 50), (64, 64), (33, 90)]


def write(root: Path, *sides: str, sizes: list[tuple[int, int]] = SIZES) -> Path:
    """Pictures below root/test; with the sides blurred and sharp, pairs."""
    for number, size in enumerate(sizes):
        image = Image.fromarray(picture(number, *size))
        for side in sides:
            file = root / "test" / side / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            (image.filter(ImageFilter.GaussianBlur(1.2)) if side == "blurred" else image).save(file)
    return root


def folder(root: Path, **options: Any) -> Folder:
    return Folder(root=str(root), whole_pictures=True, **({"patch": [16, 32], "batch_size": 4} | options))


def batches_of(data: Folder) -> list[Pair]:
    return [data.on_after_batch_transfer(batch, 0) for batch in data.test_dataloader()]


def test_each_picture_is_a_batch_of_its_own_size(tmp_path: Path) -> None:
    data = folder(write(tmp_path, "blurred", "sharp"))
    data.setup("test")
    names = data.labels("test")["frame"]
    batches = batches_of(data)
    assert len(batches) == len(names) == 5
    for name, pair in zip(names, batches, strict=True):
        assert pair.grid == (1, 1)
        for side, images in (("blurred", pair.blurred), ("sharp", pair.sharp)):
            stored = np.array(Image.open(tmp_path / "test" / side / f"{Path(name).name}.png"))
            assert torch.equal((images[0] * 255).round().byte().permute(1, 2, 0), torch.from_numpy(stored))


@pytest.mark.parametrize("blur", ["gaussian", CameraBlur()])
def test_photographs_are_blurred_whole_also_beside_pairs(tmp_path: Path, blur: Any) -> None:
    sizes = [(48, 60), (60, 48)]
    write(tmp_path, "blurred", "sharp", sizes=sizes)
    write(tmp_path, "photographs", sizes=sizes)
    data = folder(tmp_path, blur=blur, sigma_max=2.0)
    data.setup("test")
    shapes = [tuple(pair.sharp.shape[-2:]) for pair in batches_of(data)]
    assert sorted(shapes) == sorted(2 * sizes)


def test_two_devices_take_two_pictures_of_one_size_at_a_time(tmp_path: Path) -> None:
    data = folder(write(tmp_path, "blurred", "sharp"))
    data.split_over(2)
    data.setup("test")
    batches = batches_of(data)
    assert [len(pair.sharp) for pair in batches] == [2] * 4
    assert sorted(int(pair.valid.sum()) for pair in batches) == [1, 1, 1, 2]


def test_examples_of_several_sizes_are_cropped_to_what_they_have_in_common(tmp_path: Path) -> None:
    data = folder(write(tmp_path, "blurred", "sharp", sizes=[(37, 50), (50, 40)]))
    pair = data.examples("test", [0, 1])
    assert pair.grid == (1, 1)
    assert tuple(pair.sharp.shape) == (2, 3, 37, 40)


def test_a_picture_that_is_too_small_to_be_scored_is_named(tmp_path: Path) -> None:
    data = folder(write(tmp_path, "blurred", "sharp", sizes=[(37, 50), (10, 50)]))
    with pytest.raises(ValueError, match=r"1\.png is 50x10, and SSIM needs at least 11x11 pixels: take the picture"):
        data.setup("test")


def test_pictures_that_are_too_small_to_be_scored_are_left_out(tmp_path: Path) -> None:
    data = folder(write(tmp_path, "blurred", "sharp", sizes=[(37, 50), (10, 50), (50, 10)]), on_error="skip")
    data.setup("test")
    assert [pair.sharp.shape[-2:] for pair in batches_of(data)] == [(37, 50)]


def test_a_check_finds_what_the_test_of_whole_pictures_cannot_use(tmp_path: Path) -> None:
    """Pictures that are smaller than data.patch are tested whole, so that they are no problem."""
    data = folder(write(tmp_path, "blurred", "sharp", sizes=[(37, 50), (10, 50)]), patch=[96, 96])
    report = check_pictures(data, workers=1, progress=lambda _: None)
    files = [tmp_path / "test" / side / "1.png" for side in ("blurred", "sharp")]
    assert report.problems == [f"{file} is 50x10, and SSIM needs at least 11x11 pixels" for file in files]


@pytest.mark.parametrize("size", [(37, 50), (33, 90), (64, 64)])
def test_a_picture_is_restored_as_restore_does(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    task = TrainedNetwork(UNet16(widths=(4, 8, 16, 32)), LogCosh()).eval()
    pixels = picture(0, *size)
    images = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        restored = task.restore_whole(Pair(images, images, torch.ones(1, dtype=torch.bool)))
    expected = Restorer(task.network).eval().restore(images, tiling=Tiling(side=0))
    torch.testing.assert_close(restored.clamp(0, 1), expected, atol=1e-5, rtol=0)


def test_pairs_that_are_drawn_of_whole_pictures_are_whole(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, drawn = write(tmp_path / "own", "", sizes=[(37, 50), (33, 90)]), tmp_path / "drawn"
    call("prepare", "data=folder", f"data.root={root}", "data.whole_pictures=true", f"out={drawn}", "run=log")
    for side in ("blurred", "sharp"):
        shapes = [decode_file(drawn / "test" / side / f"{number}.png").shape for number in range(2)]
        assert shapes == [(37, 50, 3), (33, 90, 3)]
    assert f"Test with data=folder data.root={drawn} data.whole_pictures=true" in capsys.readouterr().err


def test_evaluate_scores_whole_pictures_of_a_network_and_of_another_program(call: Call, tmp_path: Path) -> None:
    root, made = write(tmp_path / "pairs", "blurred", "sharp"), tmp_path / "made"
    made.mkdir()
    restorer = load_restorer("cifar10_unet16", device="cpu")
    for file in sorted((root / "test/blurred").iterdir()):
        Image.fromarray(restorer.restore(np.asarray(Image.open(file)))).save(made / file.name)
    data = ("data=folder", f"data.root={root}", "data.whole_pictures=true")
    call(
        "evaluate",
        "weights=cifar10_unet16",
        *data,
        "trainer=cpu",
        f"output={tmp_path}/network",
        "trainer.precision=32-true",
    )
    call("evaluate", f"restored={made}", *data, f"output={tmp_path}/stored")
    network, stored = (read_per_image(tmp_path / one / "per_image.csv") for one in ("network", "stored"))
    assert network["frame"] == stored["frame"]
    assert len(network["frame"]) == len(SIZES)
    assert network["blurred_psnr"] == pytest.approx(stored["blurred_psnr"], abs=1e-4)
    assert network["restored_psnr"] == pytest.approx(stored["restored_psnr"], abs=0.05)  # files have 8 bits
    assert network["restored_psnr"] != pytest.approx(network["blurred_psnr"], abs=0.05)
