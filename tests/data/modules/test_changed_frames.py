"""Pictures that come or go between a checkpoint and its resumption are told, and those that are held out since."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from deblurlab.data import CIFAR10, BlurredImages, Folder
from deblurlab.data.modules.streamed import PairedFrames
from tests.conftest import Call, write_tiny_cifar10
from tests.data.frame_sets import frames
from tests.pictures import picture, write_pictures, write_reds


def opened(root: Path, **options: Any) -> Folder:
    data = Folder(root=str(root), patch=[16, 32], batch_size=4, **options)
    data.setup("fit")
    return data


def told(
    before: PairedFrames | BlurredImages, now: PairedFrames | BlurredImages, caplog: pytest.LogCaptureFixture
) -> str:
    """The warning of a resumption on ``now`` of a checkpoint that was written with ``before``."""
    caplog.clear()
    now.load_state_dict(before.state_dict())
    return caplog.text


def photographs(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        Image.fromarray(picture(number, 40, 70)).save(folder / f"{name}.png")


@pytest.mark.parametrize("kind", ["photographs", "pairs", "both"])
def test_the_same_pictures_elsewhere_are_no_change(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = opened(write_pictures(tmp_path / "one", kind))
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert told(before, opened(tmp_path / "two"), caplog) == ""


def test_pictures_that_come_and_go_are_counted_and_those_that_are_held_out_since(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photographs(tmp_path, [f"{number:02}" for number in range(16)])
    before = opened(tmp_path)
    gone, trained = [name for name in before.identities("train") if name < "04"], set(before.identities("train"))
    for name in gone:
        (tmp_path / name).unlink()
    photographs(tmp_path, ["zz"])
    now = opened(tmp_path)
    held_out = [name for split in ("val", "test") for name in now.identities(split) if name in trained]
    assert len(gone) > 1
    assert held_out
    message = told(before, now, caplog)
    assert f"{len(gone)} pictures are gone, such as {gone[0]}, and 1 picture is new, such as zz.png." in message
    assert f"trained on {len(held_out)} picture" in message
    assert held_out[0] in message
    assert told(now, opened(tmp_path), caplog) == ""


def test_pictures_of_a_test_s_own_folder_are_held_out_before_and_after(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photographs(tmp_path / "train", [f"{number:02}" for number in range(8)])
    photographs(tmp_path / "test", ["a", "b"])
    before = opened(tmp_path)
    photographs(tmp_path / "test", ["c"])
    message = told(before, opened(tmp_path), caplog)
    assert "1 picture is new, such as test/c.png." in message
    assert "the network was trained on" not in message


def test_a_picture_keeps_its_name_where_others_join_it_in_another_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Names in tables are shorter where all pictures are in one subfolder."""
    photographs(tmp_path / "holiday", [f"{number:02}" for number in range(8)])
    before = opened(tmp_path)
    assert before.source("val").name(0).count("/") == 0
    photographs(tmp_path / "work", ["00"])
    message = told(before, opened(tmp_path), caplog)
    assert "changed since the checkpoint was written: 1 picture is new, such as work/00.png." in message


def test_a_picture_that_is_broken_since_is_gone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photographs(tmp_path, [f"{number:02}" for number in range(16)])
    before = opened(tmp_path, on_error="skip")
    name = before.identities("train")[0]
    (tmp_path / name).write_bytes(b"")
    assert f"1 picture is gone, such as {name}." in told(before, opened(tmp_path, on_error="skip"), caplog)


def test_frames_of_a_published_data_set_that_came_later_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = frames(write_reds(tmp_path, sequences=8, frames=2, test_sequences=1))
    before.setup("fit")
    write_reds(tmp_path, sequences=8, frames=3, test_sequences=1)
    now = frames(tmp_path)
    now.setup("fit")
    message = told(before, now, caplog)
    assert "9 pictures are new, such as train/000/00000002." in message
    assert "the network was trained on" not in message  # the test has a clip 000 of its own


def cifar10(root: Path) -> CIFAR10:
    data = CIFAR10(root=str(root), batch_size=4, sigma_range=(0.0, 3.0))
    data.setup("fit")
    return data


def test_images_in_memory_that_come_or_are_replaced_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = cifar10(write_tiny_cifar10(tmp_path / "one"))
    assert told(before, cifar10(write_tiny_cifar10(tmp_path / "two")), caplog) == ""
    (tmp_path / "two/test-00000-of-00001.parquet").rename(tmp_path / "two/train-00001-of-00002.parquet")
    shutil.copy(tmp_path / "one/train-00000-of-00001.parquet", tmp_path / "two/test-00000-of-00001.parquet")
    message = told(before, cifar10(tmp_path / "two"), caplog)
    assert "train has 44 images where it had 35; " in message
    assert "test has 40 images where it had 10. So the network may have been trained on" in message
    for split in ("train", "test"):
        shutil.copy(tmp_path / f"one/{split}-00000-of-00001.parquet", tmp_path / "two")
    (tmp_path / "two/train-00001-of-00002.parquet").unlink()
    now = cifar10(tmp_path / "two")
    assert told(before, now, caplog) == ""
    now._images["val"] = now.images("val").flip(0)
    now._image_sets.clear()
    assert "was written: val has other images, or another order. So" in told(before, now, caplog)


def test_a_training_that_is_resumed_on_other_images_in_memory_says_so(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Checkpoints of before, which hold nothing of the images, are resumed without a word."""
    write_tiny_cifar10(tmp_path / "data")
    words = (
        "data=cifar10",
        "data.root=data",
        "data.batch_size=8",
        "model.network.widths=[4,8]",
        "trainer=cpu",
        "run=run",
    )
    call("train", *words, "trainer.max_epochs=1")
    call("train", "run=run", "ckpt_path=last", "trainer.max_epochs=2")
    assert "have changed since" not in capsys.readouterr().err
    (tmp_path / "data/test-00000-of-00001.parquet").rename(tmp_path / "data/train-00001-of-00002.parquet")
    shutil.copy(tmp_path / "data/train-00000-of-00001.parquet", tmp_path / "data/test-00000-of-00001.parquet")
    call("train", "run=run", "ckpt_path=last", "trainer.max_epochs=3")
    assert "the images of the data have changed since the checkpoint was written: train has" in capsys.readouterr().err
    checkpoint = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)
    del checkpoint["CIFAR10"]
    torch.save(checkpoint, tmp_path / "run/checkpoints/last.ckpt")
    call("train", "run=run", "ckpt_path=last", "trainer.max_epochs=4")
    assert "have changed since" not in capsys.readouterr().err
