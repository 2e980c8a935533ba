from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from deblurlab.data import CameraBlur, Folder
from deblurlab.data.pixels import decode
from deblurlab.data.preparing.drawn_pairs import write_test_pairs
from deblurlab.data.sources.own_pictures import find_pictures, hold_out_pictures, warn_of_pairs_in
from deblurlab.data.sources.picture_files import FilePair
from tests.data.frame_sets import equal
from tests.pictures import picture, write_pictures


def photographs(root: Path, count: int = 16, side: str = "") -> Path:
    (root / side).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        height, width = ((40, 70), (70, 40))[number % 3 == 0]
        Image.fromarray(picture(number, height, width)).save(root / side / f"{number:02} ü.png")
    return root


def folder(root: Path, **options: Any) -> Folder:
    return Folder(root=str(root), **({"patch": [16, 32], "batch_size": 4} | options))


def test_photographs_split_without_overlap_and_test_whole(tmp_path: Path) -> None:
    data = folder(photographs(tmp_path))
    names = {split: {data.source(split).name(i) for i in range(len(data.source(split).groups))} for split in _SPLITS}
    assert {split: len(files) for split, files in names.items()} == {"train": 12, "val": 2, "test": 2}
    assert len(set.union(*names.values())) == 16
    for batch in data.test_dataloader():
        pair = data.on_after_batch_transfer(batch, 0)
        assert tuple(pair.sharp.shape[-2:]) == (16 * pair.grid[0], 32 * pair.grid[1])
        assert not torch.equal(pair.blurred, pair.sharp)


_SPLITS = ("train", "val", "test")


def test_a_folder_test_alone_is_enough_to_evaluate(tmp_path: Path) -> None:
    for side in ("blurred", "sharp"):
        photographs(tmp_path, 6, f"test/{side}")
    data = folder(tmp_path)
    data.setup("test")
    assert len(data.labels("test")["frame"]) == 6
    assert all(torch.equal(batch.blurred, batch.sharp) for batch in data.test_dataloader())  # pairs, not blurred anew
    with pytest.raises(ValueError, match=f"there is no folder {tmp_path}/train"):
        data.setup("fit")


def test_skipping_needs_no_other_picture_of_the_shape(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photographs(tmp_path, 9, "train")
    photographs(tmp_path, 3, "test")
    (tmp_path / "train/00 ü.png").write_bytes(b"")
    Image.fromarray(picture(0, 10, 10)).save(tmp_path / "train/01 ü.png")
    lone = tmp_path / "test/00 ü.png"  # upright among two that lie
    lone.write_bytes(lone.read_bytes()[:300])
    data = folder(tmp_path, on_error="skip")
    data.setup("fit")
    assert len(data.source("train").groups) + len(data.source("val").groups) == 7
    assert "00 ü.png cannot be read" in caplog.text
    assert "01 ü.png is 10x10, smaller than" in caplog.text
    valid = torch.cat([batch.valid for batch in data.test_dataloader()])
    assert int(valid.sum()) == 2
    assert data.labels("test")["frame"] == ["01 ü.png", "02 ü.png"]


def test_skipping_every_picture_is_an_error(tmp_path: Path) -> None:
    photographs(tmp_path, 2, "test")
    (tmp_path / "test/00 ü.png").write_bytes(b"")
    Image.fromarray(picture(0, 10, 10)).save(tmp_path / "test/01 ü.png")
    with pytest.raises(ValueError, match=r"data\.root=.*, pictures of split test: none of 2 can be used"):
        folder(tmp_path, on_error="skip").setup("test")


def test_pictures_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder_name in ("a", "b"):
        photographs(tmp_path, 2, f"test/{folder_name}")
    names = folder(tmp_path).labels("test")["frame"]
    assert sorted(names) == ["a/00 ü.png", "a/01 ü.png", "b/00 ü.png", "b/01 ü.png"]


def test_names_that_differ_in_their_suffix_alone_are_refused(tmp_path: Path) -> None:
    photographs(tmp_path, 9)
    Image.fromarray(picture(0, 40, 70)).save(tmp_path / "01 ü.jpg")
    with pytest.raises(ValueError, match="have the same name but for the suffix"):
        folder(tmp_path).source("train")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
@pytest.mark.parametrize("name", ["sigma_max", "shake_max", "noise_max"])
def test_what_is_no_strength_of_a_blur_is_refused(name: str, value: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"data\.{name} .*{value}"):
        folder(tmp_path, **{name: value})


@pytest.mark.parametrize("patch", [[8, 8], [96], [16, 10], 10, -96])
def test_patches_too_small_for_ssim_are_refused(patch: int | list[int], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.patch must be \[height,width\] or the side of a square, at least 11"):
        folder(tmp_path, patch=patch)


def test_one_number_is_the_side_of_a_square_patch(tmp_path: Path) -> None:
    data = folder(photographs(tmp_path), patch=24)
    assert next(iter(data.batches("train"))).sharp.shape == (4, 3, 24, 24)


def test_training_blur_is_new_each_epoch_and_test_blur_is_not(tmp_path: Path) -> None:
    root = photographs(tmp_path)
    train, test = folder(root).source("train"), folder(root).source("test")
    np.testing.assert_array_equal(train.read(0, 1).blurred, folder(root).source("train").read(0, 1).blurred)
    assert (train.read(0, 1).blurred != train.read(0, 2).blurred).any()
    np.testing.assert_array_equal(train.read(0, 1).sharp, train.read(0, 2).sharp)
    np.testing.assert_array_equal(test.read(0, 1).blurred, folder(root, seed=9).source("test").read(0, 2).blurred)


def test_mixed_sizes_train_in_one_batch(tmp_path: Path) -> None:
    data = folder(photographs(tmp_path), blur="shake", shake_max=5.0)
    batches = list(data.train_dataloader())
    assert {tuple(batch.sharp.shape) for batch in batches} == {(4, 16, 32, 3)}


def test_pairs_in_two_folders(tmp_path: Path) -> None:
    photographs(tmp_path, side="sharp")
    for file in (tmp_path / "sharp").iterdir():
        (tmp_path / "blurred").mkdir(exist_ok=True)
        Image.fromarray(255 - decode(file.read_bytes(), "")).save(
            tmp_path / "blurred" / file.with_suffix(".webp").name, lossless=True
        )
    data = folder(tmp_path)
    for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader()):
        for batch in loader:
            assert torch.equal(batch.blurred, 255 - batch.sharp)


def test_photographs_stand_beside_pairs(tmp_path: Path) -> None:
    """Pairs stay as they are, photographs get blurred, and every one comes up under its own name."""
    photographs(tmp_path, side="sharp")
    photographs(tmp_path, side="blurred")
    photographs(tmp_path, side="photographs")
    data = folder(tmp_path)
    sources = {split: data.source(split) for split in _SPLITS}
    assert {split: len(source.groups) for split, source in sources.items()} == {"train": 24, "val": 4, "test": 4}
    changed = []
    for source in sources.values():
        for number in range(len(source.groups)):
            frame = source.read(number, 0)
            name = source.name(number).removeprefix("./")
            original = decode(next((tmp_path / "sharp").glob(f"{Path(name).stem}*")).read_bytes(), "")
            height, width = frame.sharp.shape[:2]
            np.testing.assert_array_equal(frame.sharp, original[:height, :width])
            changed.append((frame.blurred != frame.sharp).any())
    assert sum(changed) == 16


def test_noise_is_as_strong_as_asked(tmp_path: Path) -> None:
    """On a grey photograph, which a blur leaves as it is: rounded Gaussian noise of at most the given deviation."""
    for number in range(16):
        Image.fromarray(np.full((64, 64, 3), 128, np.uint8)).save(tmp_path / f"{number}.png")
    deviations = []
    source = folder(tmp_path, noise_max=8.0).source("train")
    for epoch in range(20):
        frame = source.read(0, epoch)
        assert (frame.sharp == 128).all()
        deviations.append(frame.blurred.std())
        assert abs(float(frame.blurred.mean()) - 128) < 1
    assert max(deviations) < 8.3
    assert max(deviations) > 5
    assert min(deviations) < 3


def test_train_and_test_folders_are_kept_apart(tmp_path: Path) -> None:
    photographs(tmp_path, 9, "train")
    photographs(tmp_path, 3, "test")
    data = folder(tmp_path)
    assert [len(data.source(split).groups) for split in _SPLITS] == [8, 1, 3]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([], "holds no pictures. Expected below data.root"),
        (["blurred/a.png"], "there is no folder .*sharp with the partners of 1 picture, first a. Expected"),
        (
            ["sharp/a.png", "blur/a.png"],
            "no folder .*blurred .* if the partners are in blur, rename it to blurred. Exp",
        ),
        (["sharp/a.png", "sharp/b.png", "blurred/a.png"], "blurred lacks 1 picture, first b. Expected"),
        (
            ["blurred/1_blur.png", "sharp/1_gt.png"],
            r"first 1_gt; if blurred/1_blur and sharp/1_gt are a pair, give both the same name\. Expected",
        ),
        (["a.png"], "1 photograph cannot spare one for testing"),
    ],
)
def test_wrong_folders_are_explained(tmp_path: Path, made: list[str], message: str) -> None:
    for name in made:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(picture(0)).save(tmp_path / name)
    with pytest.raises(ValueError, match=message):
        folder(tmp_path).source("train")


@pytest.mark.parametrize(
    ("sides", "warned"),
    [
        (("unscharf", "scharf"), "the folders scharf and unscharf hold pictures of the same names"),
        (("gt", "input", "more/of"), "the folders gt and input hold pictures of the same names"),
        (("one",), ""),
        (("", "one"), ""),
    ],
)
def test_pairs_in_folders_of_other_names_are_noticed(
    sides: tuple[str, ...], warned: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for side in sides:
        photographs(tmp_path, 3 + len(side) % 3 * (side == "more/of"), side)
    folder(tmp_path).source("train")
    assert ("If these are pairs, rename the folders to blurred and sharp" in caplog.text) == bool(warned)
    assert warned in caplog.text


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (["img_0_blur", "img_0_gt", "img_1_blur", "img_1_gt"], "img_0_blur and img_0_gt"),
        (["Blurry 7", "Sharp 7"], "Blurry 7 and Sharp 7"),
        (["GOPR01/blur/0001", "GOPR01/sharp/0001"], "GOPR01/blur/0001 and GOPR01/sharp/0001"),
        (["sharp_1", "blur_2", "input", "1", "2"], ""),
        (["blurb_1", "sharpen_1"], ""),
    ],
)
def test_pairs_side_by_side_are_noticed(names: list[str], pair: str, caplog: pytest.LogCaptureFixture) -> None:
    warn_of_pairs_in({name: Path(f"{name}.png") for name in names}, Path("photos"))
    assert caplog.messages == [
        f"photos: {pair} look like a pair. If they are, move the blurred pictures to blurred/ and the sharp ones to "
        "sharp/, the two of a pair with the same name: as it is, every picture counts as a sharp photograph, and is "
        "blurred on the fly."
    ] * bool(pair)


def test_a_folder_of_very_many_pictures_is_searched_for_pairs_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """To compare each of its entries with each other one would take an hour."""
    many = {f"IMG_{number}": Path() for number in range(300_000)}
    warn_of_pairs_in(many | {f"{side}/{number}": Path() for side in "ab" for number in range(2)}, Path("photos"))
    assert "photos: the folders a and b hold pictures of the same names" in caplog.text


def test_the_log_says_how_many_pictures_are_tested(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    folder(photographs(tmp_path / "all")).setup("test")
    assert "2 of 16 pictures are held out for testing" in caplog.text
    for side in ("blurred", "sharp"):
        photographs(tmp_path / "pairs", 9, side)
    folder(tmp_path / "pairs").setup("test")
    assert "1 of 9 pictures is held out" in caplog.text
    assert "the pairs lie in 1 folder, too few to hold out a whole one for testing" in caplog.text
    caplog.clear()
    folder(photographs(tmp_path / "split", 4, "test")).setup("test")
    assert "held out" not in caplog.text


def test_small_and_unequal_pictures_are_named(tmp_path: Path) -> None:
    root = photographs(tmp_path)
    Image.fromarray(picture(0, 10, 70)).save(root / "small.png")
    with pytest.raises(ValueError, match=r"small\.png is 70x10, smaller than data\.patch=\[16, 32\]"):
        [folder(root).source(split) for split in _SPLITS]
    for side in ("blurred", "sharp"):
        photographs(root / "pairs", 16, side)
    Image.fromarray(picture(0, 41, 71)).save(root / "pairs/blurred/03 ü.png")
    pairs = folder(root / "pairs")
    with pytest.raises(ValueError, match=r"03 ü\.png.* 71x41"):
        [pairs.source(split).read(row, 0) for split in _SPLITS for row in range(len(pairs.source(split).groups))]


def test_real_photographs(real_data: Path) -> None:
    data = Folder(root=str(real_data / "kodak"), patch=[128, 128], batch_size=24)
    assert [len(data.source(split).groups) for split in _SPLITS] == [18, 3, 3]
    for batch in data.test_dataloader():
        pair = data.on_after_batch_transfer(batch, 0)
        assert sorted(pair.sharp.shape[-2:]) == [512, 768]
        assert 18 < float(-10 * (pair.sharp - pair.blurred).square().mean().log10()) < 60


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_test_pair_of_two_sizes_is_found_before_training(
    on_error: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_pictures(tmp_path / "train", "pairs")
    write_pictures(tmp_path / "test", "pairs")
    Image.fromarray(picture(0, 40, 80)).save(tmp_path / "test/blurred/00.png")
    data = folder(tmp_path, on_error=on_error)
    if on_error == "raise":
        with pytest.raises(ValueError, match=r"test/blurred/00\.png is 80x40, .*test/sharp/00\.png is"):
            data.setup("fit")
    else:
        data.setup("fit")
        assert len(data.source("test").groups) == 9
        assert "test/blurred/00.png is 80x40" in caplog.text


def camera_folder(root: Path, **options: Any) -> Folder:
    return folder(root, blur=CameraBlur(shake_pixels=(1, 6), object_pixels=(1, 6)), **options)


def test_each_patch_has_a_camera_blur_of_its_own_that_seed_epoch_and_number_determine(tmp_path: Path) -> None:
    root = photographs(tmp_path)
    options = {"crops": 16, "rotations": True, "seed": 3}
    first = list(camera_folder(root, **options).train_dataloader().batches(2))
    resumed = list(camera_folder(root, **options, workers=1).train_dataloader().batches(2, start=2))
    assert all(equal(*pair) for pair in zip(first[2:], resumed, strict=True))
    other = next(camera_folder(root, **options).train_dataloader().batches(3))
    assert not torch.equal(first[0].blurred, other.blurred)
    blurred = sum(int((batch.blurred != batch.sharp).flatten(1).any(dim=1).sum()) for batch in first)
    assert 0.7 < blurred / sum(len(batch.valid) for batch in first) <= 1  # 5 in 100 are left as they are


def test_examples_of_camera_blur_are_what_was_scored(tmp_path: Path) -> None:
    data = camera_folder(photographs(tmp_path))
    batch = next(data.val_dataloader().batches(0))
    examples = data.examples("val", [2, 0])
    assert torch.equal(examples.blurred, batch.blurred[[2, 0]].permute(0, 3, 1, 2) / 255)
    batch = next(data.test_dataloader().batches(0))
    assert torch.equal(data.examples("test", [0]).blurred, batch.blurred[:1].permute(0, 3, 1, 2) / 255)
    again = next(camera_folder(tmp_path, seed=9).test_dataloader().batches(0))
    assert torch.equal(batch.blurred, again.blurred)


def test_pairs_beside_camera_blur_stay_as_they_are(tmp_path: Path) -> None:
    for side in ("sharp", "blurred", "photographs"):
        photographs(tmp_path, side=side)
    data = camera_folder(tmp_path)
    changed = [
        (batch.blurred != batch.sharp).flatten(1).any(dim=1)
        for epoch in range(3)
        for batch in data.train_dataloader().batches(epoch)
    ]
    assert 0.35 < float(torch.cat(changed).float().mean()) < 0.5


@pytest.mark.parametrize("share", [0.5, 0.75, 0.2])
def test_pairs_have_their_share_of_each_epoch(tmp_path: Path, share: float) -> None:
    for side in ("sharp", "blurred", "photographs"):
        photographs(tmp_path, side=side)
    options = {"pairs_share": share, "crops": 16, "rotations": True}
    data = camera_folder(tmp_path, **options)
    source = data.source("train")
    counts = [int(source.grids[part].prod(axis=1).sum()) for part in (slice(12), slice(12, None))]
    loader = data.train_dataloader()
    orders = []
    for epoch in (0, 1):
        plan = loader.plan(epoch)
        pairs = int((plan.frames < 12).sum())
        assert pairs / plan.frames.size == pytest.approx(share, abs=0.03)
        seen = set(zip(plan.frames.ravel().tolist(), plan.patches.ravel().tolist(), strict=True))
        assert len(seen) >= sum(counts) - 3  # a last partial batch is dropped
        assert len(np.unique(plan.numbers)) == plan.numbers.size
        orders.append(plan.frames)
    assert len(loader) == len(orders[0]) == len(orders[1])
    assert (orders[0] != orders[1]).any()


def test_a_share_of_pairs_needs_both_kinds(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.pairs_share=0\.5: data\.root=.* holds photographs alone"):
        folder(photographs(tmp_path), pairs_share=0.5).source("train")
    with pytest.raises(ValueError, match=r"data\.pairs_share must be between 0 and 1"):
        folder(tmp_path, pairs_share=1.0)


def test_written_test_pairs_are_those_that_are_scored(tmp_path: Path) -> None:
    data = camera_folder(photographs(tmp_path / "photographs"))
    assert write_test_pairs(data.source("test"), tmp_path / "drawn", progress=lambda _: None) == 2
    written = folder(tmp_path / "drawn")
    for scored, read in zip(data.test_dataloader(), written.test_dataloader(), strict=True):
        assert torch.equal(scored.blurred, read.blurred)
        assert torch.equal(scored.sharp, read.sharp)


def test_written_pairs_keep_names_with_dots_and_one_name_is_not_written_twice(tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    for side, name in (("blurred", "clip.001"), ("sharp", "clip.001"), ("blurred", "clip.002"), ("sharp", "clip.002")):
        (root / "test" / side).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(0, 40, 70)).save(root / "test" / side / f"{name}.png")
    write_test_pairs(folder(root).source("test"), tmp_path / "drawn", progress=lambda _: None)
    files = {file.relative_to(tmp_path / "drawn/test").as_posix() for file in tmp_path.glob("drawn/test/*/*")}
    assert files == {f"{side}/clip.00{number}.png" for side in ("blurred", "sharp") for number in (1, 2)}
    (root / "test/photographs").mkdir()
    Image.fromarray(picture(1, 40, 70)).save(root / "test/photographs/clip.001.jpg")
    with pytest.raises(ValueError, match=r"sharp/clip\.001\.png would be written twice"):
        write_test_pairs(folder(root).source("test"), tmp_path / "both", progress=lambda _: None)
    assert not (tmp_path / "both").exists()


def test_a_photograph_in_the_place_of_a_broken_pair_is_blurred(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "train", "both")
    for file in (root / "blurred").iterdir():
        file.write_bytes(file.read_bytes()[:-40])  # its size can be read, and its pixels cannot
    none = dict.fromkeys(("objects", "defocus", "gaussian", "sharp", "dark", "highlights", "noise", "jpeg"), 0.0)
    blur = CameraBlur(shake=1.0, shake_pixels=(10, 20), **none)  # type: ignore[arg-type]
    write_pictures(tmp_path / "test", "photographs")
    batches = list(folder(tmp_path, blur=blur, on_error="skip").train_dataloader())
    unblurred = torch.cat([(batch.blurred == batch.sharp).flatten(1).all(dim=1) for batch in batches])
    replaced = ~torch.cat([batch.valid for batch in batches])
    assert replaced.any()
    assert not (unblurred & replaced).any()


def test_pairs_beside_subfolders_are_one_sequence(tmp_path: Path) -> None:
    """Sorted by their paths, the pairs a, c, e, ... lie between the folders b, d, f, ...: five sequences, not eight."""
    for side in ("blurred", "sharp"):
        for name in "bdfh":
            photographs(tmp_path, 2, f"{side}/{name}")
        for name in "aceg":
            Image.fromarray(picture(0, 40, 40)).save(tmp_path / side / f"{name}.png")
    found = find_pictures(tmp_path).pictures
    sequences = [name for name, _ in groupby(pair.sequence for pair in found if isinstance(pair, FilePair))]
    assert sequences == [".", "b", "d", "f", "h"]
    kept, held_out = hold_out_pictures(found, "these", "testing")
    assert len(held_out) == 5  # the last one of each sequence, since there are fewer than eight
    assert len(kept) == 7


def test_a_photograph_that_is_too_small_for_its_blur_says_what_to_lower(tmp_path: Path) -> None:
    data = folder(photographs(tmp_path), blur="shake", shake_max=400.0)
    with pytest.raises(ValueError, match=r"\.png, of which \d+x\d+ pixels are used, .* lower data\.sigma_max"):
        list(data.train_dataloader())
