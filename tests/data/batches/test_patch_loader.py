import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from deblurlab.data import VideoFrames
from deblurlab.data.batches.host import Host
from deblurlab.data.batches.patch_loader import PairBatch
from deblurlab.data.pixels import decode, resize
from deblurlab.interfaces import Pair
from deblurlab.tasks.patches import assemble, cut
from tests.data.frame_sets import equal, frames
from tests.pictures import REDS_LAYOUT

Make = Callable[..., Path]


def test_an_epoch_has_every_patch_once(make_reds: Make) -> None:
    data = frames(make_reds(sequences=2, frames=4), batch_size=6)
    source = data.source("train")
    expected = [
        cut(torch.from_numpy(source.read(index, 0).sharp.copy()).permute(2, 0, 1)[None], (3, 4)) for index in range(6)
    ]
    seen = []
    for batch in data.train_dataloader():
        assert batch.sharp.shape == (6, 12, 16, 3)
        seen.append(data.on_after_batch_transfer(batch._replace(flips=torch.zeros(6, 2, dtype=torch.bool)), 0).sharp)
    found = (torch.cat(seen) * 255).round().byte().flatten(1)
    assert len(found) == 72
    assert torch.equal(torch.unique(found, dim=0), torch.unique(torch.cat(expected).flatten(1), dim=0))


@pytest.mark.parametrize("size", [(36, 64), (18, 32)])
def test_a_pair_stays_aligned(tmp_path: Path, make_reds: Make, size: tuple[int, int]) -> None:
    """With the same picture on both sides, resize, patches, shuffle and flips leave both sides the same."""
    root = make_reds(sequences=1, frames=6)
    for file in (root / "train" / "train_sharp").rglob("*.png"):
        blurred = Path(str(file).replace("train_sharp", "train_blur"))
        blurred.write_bytes(file.read_bytes())
    data = frames(root, size=size, grid=(3, 4) if size[0] == 36 else (3, 2))
    loader = data.train_dataloader()
    flips = set()
    for epoch in range(3):
        for batch in loader.batches(epoch):
            pair = data.on_after_batch_transfer(batch, 0)
            assert torch.equal(pair.blurred, pair.sharp)
            flips |= {tuple(row) for row in batch.flips.tolist()}
    assert len(flips) == 4


def test_flips_are_what_they_say(make_reds: Make) -> None:
    data = frames(make_reds(sequences=1, frames=6))
    batch = next(iter(data.train_dataloader()))
    pair = data.on_after_batch_transfer(batch, 0)
    for row, (horizontal, vertical) in enumerate(batch.flips.tolist()):
        expected = batch.sharp[row].permute(2, 0, 1) / 255
        expected = expected.flip(-1) if horizontal else expected
        expected = expected.flip(-2) if vertical else expected
        assert torch.equal(pair.sharp[row], expected)


def test_two_epochs_differ_and_one_seed_repeats(make_reds: Make) -> None:
    root = make_reds(sequences=2, frames=4)

    def epoch(number: int, seed: int = 0, workers: int = 2) -> list[PairBatch]:
        return list(frames(root, seed=seed, workers=workers).train_dataloader().batches(number))

    first = epoch(0)
    assert all(equal(*pair) for pair in zip(first, epoch(0, workers=1), strict=True))
    assert not equal(first[0], epoch(1)[0])
    assert not equal(first[0], epoch(0, seed=1)[0])


@pytest.mark.parametrize("mixed_frames", [2, 100])
def test_resumes_between_any_two_batches(make_reds: Make, mixed_frames: int) -> None:
    root = make_reds(sequences=2, frames=6)
    expected = list(frames(root, mixed_frames=mixed_frames).train_dataloader().batches(3))
    for stop in range(len(expected) + 1):
        rest = frames(root, mixed_frames=mixed_frames).train_dataloader().batches(3, start=stop)
        assert all(equal(*pair) for pair in zip(rest, expected[stop:], strict=True))


def test_a_test_batch_is_whole_frames_and_their_grid(make_reds: Make) -> None:
    data = frames(make_reds(frames=5), batch_size=36)
    loader = data.test_dataloader()
    batches = [data.on_after_batch_transfer(batch, 0) for batch in loader]
    assert [batch.sharp.shape for batch in batches] == [(3, 3, 36, 64)] * 2
    assert [batch.grid for batch in batches] == [(3, 4)] * 2
    assert torch.cat([batch.valid for batch in batches]).tolist() == [True] * 5 + [False]
    source = data.source("test")
    for index, image in enumerate(torch.cat([batch.blurred for batch in batches])[:5]):
        assert torch.equal(image, torch.from_numpy(source.read(index, 0).blurred.copy()).permute(2, 0, 1) / 255)


def test_validation_is_all_patches_in_order(make_reds: Make) -> None:
    data = frames(make_reds(sequences=2, frames=3), batch_size=10)
    batches = [data.on_after_batch_transfer(batch, 0) for batch in data.val_dataloader()]
    valid = torch.cat([batch.valid for batch in batches])
    assert valid.tolist() == [True] * 24 + [False] * 6
    patches = torch.cat([batch.sharp for batch in batches])[valid]
    source = data.source("val")
    for index, image in enumerate(assemble(patches, (3, 4))):
        assert torch.equal(image, torch.from_numpy(source.read(index, 0).sharp.copy()).permute(2, 0, 1) / 255)


def test_a_broken_frame_is_named(make_reds: Make) -> None:
    root = make_reds(sequences=1, frames=3)
    broken = root / "train" / "train_blur" / "000" / "00000001.png"
    broken.write_bytes(broken.read_bytes()[:300])
    with pytest.raises(ValueError, match=rf"{broken} .* data\.on_error=skip leaves out"):
        list(frames(root).train_dataloader())


def test_skipping_replaces_in_training_and_leaves_out_in_tests(
    make_reds: Make, caplog: pytest.LogCaptureFixture
) -> None:
    root = make_reds(sequences=1, frames=4)
    for side in ("train/train_blur", "val/val_sharp"):
        (root / side / "000" / "00000001.png").write_bytes(b"")
    data = frames(root, on_error="skip", batch_size=12)
    loader = data.train_dataloader()
    batches = list(loader)
    assert len(batches) == 3  # as many as without the damage
    assert sum(int((~batch.valid).sum()) for batch in batches) == 12
    assert loader.reader.skipped == {1}
    assert "00000001.png is empty" in caplog.text
    assert "1 of 3 frames are left out" in caplog.text
    test = data.test_dataloader()
    assert torch.cat([batch.valid for batch in test]).tolist() == [True, False, True, True]
    assert data.labels("test") == {"frame": ["000/00000000", "000/00000002", "000/00000003"]}
    source = data.source("test")
    for row, frame in enumerate((0, 2, 3)):
        expected = torch.from_numpy(source.read(frame, 0).sharp.copy()).permute(2, 0, 1) / 255
        assert torch.equal(data.examples("test", [row]).sharp[0], expected)


def test_a_test_batch_splits_over_the_devices_of_each_host(make_reds: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    data = frames(make_reds(frames=5), batch_size=64)  # a host's 32 patches are 2 frames of 12
    monkeypatch.setattr(data, "trainer", SimpleNamespace(global_rank=0, world_size=2))
    data.split_over(4)
    batches = list(data.test_dataloader())
    assert [len(batch.valid) for batch in batches] == [4]


def test_labels_of_a_test_on_two_hosts_are_in_the_order_of_its_scores(
    make_reds: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = frames(make_reds(frames=5), batch_size=48)
    alone = data.labels("test")["frame"]
    loaders = []
    for rank in (0, 1):
        monkeypatch.setattr(data, "_host", lambda rank=rank: Host(rank, 2))
        loaders.append(list(data.test_dataloader()))
    source = data.source("test")
    known = {source.read(frame, 0).sharp.tobytes(): source.name(frame) for frame in range(5)}
    scored = [
        known[image.numpy().tobytes()]
        for batches in zip(*loaders, strict=True)
        for batch in batches  # a global batch is the hosts' rows, one host after the other
        for image in batch.sharp[batch.valid]
    ]
    assert data.labels("test")["frame"] == scored == alone


def test_a_split_that_is_not_there_is_told_before_training(make_reds: Make) -> None:
    root = make_reds(sequences=2, frames=2)
    shutil.rmtree(root / "val")
    data = frames(root)
    with pytest.raises(ValueError, match="val/val_blur"):
        data.setup("fit")


def test_nothing_readable_raises_even_when_skipping(make_reds: Make) -> None:
    root = make_reds(sequences=1, frames=3)
    for file in (root / "val").rglob("*.png"):
        file.write_bytes(b"")
    with pytest.raises(ValueError, match="is empty"):
        list(frames(root, on_error="skip").test_dataloader())


def test_sides_of_different_size_and_distorting_sizes_are_refused(make_reds: Make) -> None:
    root = make_reds(sequences=1, frames=3)
    with pytest.raises(ValueError, match=r"is 64x36: resized to 48x36 it would be distorted"):
        list(frames(root, size=[36, 48]).test_dataloader())
    Image.new("RGB", (32, 18)).save(root / "val" / "val_blur" / "000" / "00000000.png")
    with pytest.raises(ValueError, match=r"00000000\.png is 32x18, .*00000000\.png is 64x36"):
        list(frames(root).test_dataloader())
    with pytest.raises(ValueError, match=r"data\.size=\[36, 64\] cannot be cut to data\.grid=\[5, 4\]"):
        frames(root, grid=[5, 4])
    with pytest.raises(ValueError, match=r"a patch of the split train is 9x16 .*SSIM needs at least 11x11"):
        frames(make_reds(sequences=2, frames=1), grid=[4, 4]).setup("fit")


def test_real_frames_pass_through_unharmed(real_data: Path) -> None:
    for name, layout in (
        ("reds", REDS_LAYOUT),
        (
            "gopro",
            REDS_LAYOUT._replace(
                train=("train/{sequence}/blur", "train/{sequence}/sharp"),
                test=("test/{sequence}/blur", "test/{sequence}/sharp"),
            ),
        ),
    ):
        data = VideoFrames(root=str(real_data / name), layout=layout, size=[288, 512], grid=[3, 4], batch_size=12)
        pairs = data.pairs("test")
        batch = data.on_after_batch_transfer(next(iter(data.test_dataloader())), 0)
        assert isinstance(batch, Pair)
        assert batch.grid == (3, 4)
        expected = resize(decode(pairs[0].sharp.read_bytes(), ""), (288, 512), antialias=True)
        np.testing.assert_array_equal((batch.sharp[0] * 255).round().byte().permute(1, 2, 0).numpy(), expected)


def test_frames_are_read_once_an_epoch(make_reds: Make) -> None:
    data = frames(make_reds(sequences=2, frames=6), batch_size=5, mixed_frames=3)
    source = data.source("train")
    count = np.zeros(len(source.groups), dtype=int)

    def counting(read: Callable[..., Any], frame: int, epoch: int) -> Any:
        count[frame] += 1
        return read(frame, epoch)

    source.read = partial(counting, source.read)  # type: ignore[method-assign]
    list(data.train_dataloader())
    assert count.tolist() == [1] * len(count)


def test_hosts_share_a_batch(make_reds: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    data = frames(make_reds(sequences=2, frames=4), batch_size=24)
    monkeypatch.setattr(data, "_host", lambda: Host(1, 2))
    assert next(iter(data.train_dataloader())).sharp.shape[0] == 12
    assert next(iter(data.val_dataloader())).sharp.shape[0] == 12
    assert next(iter(data.test_dataloader())).sharp.shape == (1, 36, 64, 3)
    monkeypatch.setattr(data, "_host", lambda: Host(1, 5))
    with pytest.raises(
        ValueError, match=r"data\.batch_size=24 cannot be split over 5 processes: make it a multiple of 5"
    ):
        data.train_dataloader()
