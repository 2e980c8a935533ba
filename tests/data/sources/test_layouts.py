import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deblurlab.data.sources.layouts import find_frames
from deblurlab.data.sources.picture_files import image_tree
from deblurlab.data.splits import hold_out_sequences
from tests.data.conftest import REDS_LAYOUT


def test_finds_pairs_in_order(make_reds: Callable[..., Path]) -> None:
    pairs = find_frames(make_reds(sequences=2, frames=3), "train", REDS_LAYOUT)
    assert [pair.name for pair in pairs] == [f"{s:03}/{f:08}" for s in range(2) for f in range(3)]
    for pair in pairs:
        assert pair.blurred.parent.parent.name == "train_blur"
        assert pair.sharp.parent.parent.name == "train_sharp"


def test_spaces_and_unicode_in_the_path(make_reds: Callable[..., Path], tmp_path: Path) -> None:
    root = make_reds(root=tmp_path / "my frames ÄÖ 日本")
    assert len(find_frames(root, "test", REDS_LAYOUT)) == 3


@pytest.mark.parametrize("exists", [True, False])
def test_an_empty_root_tells_what_to_download_and_where_it_goes(tmp_path: Path, exists: bool) -> None:
    root = tmp_path / "nothing"
    if exists:
        root.mkdir()
    with pytest.raises(ValueError, match="there is no") as error:
        find_frames(root, "train", REDS_LAYOUT)
    for part in (str(root), "train/train_blur/000/00000000.png", "val/val_sharp/000", REDS_LAYOUT.page):
        assert part in str(error.value)


def test_a_misnamed_folder_is_shown_beside_the_layout(make_reds: Callable[..., Path]) -> None:
    root = make_reds()
    (root / "train" / "train_blur").rename(root / "train" / "blurry")
    with pytest.raises(ValueError, match=r"no folder train/train_blur .*holds: blurry, train_sharp") as error:
        find_frames(root, "train", REDS_LAYOUT)
    assert "train/train_blur/000/00000000.png" in str(error.value)


def test_a_missing_partner_is_named(make_reds: Callable[..., Path]) -> None:
    root = make_reds()
    (root / "train" / "train_sharp" / "001" / "00000002.png").unlink()
    with pytest.raises(ValueError, match=r"train_sharp/001 lacks 1 of the frames .* first 00000002\.png"):
        find_frames(root, "train", REDS_LAYOUT)
    shutil.rmtree(root / "train" / "train_sharp" / "000")
    with pytest.raises(ValueError, match="train_sharp/000 lacks 3"):
        find_frames(root, "train", REDS_LAYOUT)


def test_symlink_loops_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    assert list(image_tree(tmp_path)) == ["a/1"]


def test_linked_folders_are_entered(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.jpg").touch()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "elsewhere")
    assert list(image_tree(tmp_path / "root")) == ["linked/1"]


def test_validation_holds_out_whole_sequences() -> None:
    sequences = [f"{sequence:03}" for sequence in range(240) for _ in range(10)]
    mask = hold_out_sequences(sequences, "REDS")
    assert mask.sum() == 300
    assert set(mask.reshape(240, 10).sum(axis=1)) == {0, 10}


def test_few_sequences_hold_out_their_last_frames_and_say_so(caplog: pytest.LogCaptureFixture) -> None:
    mask = hold_out_sequences(["a"] * 16 + ["b"] * 3 + ["c"], "REDS")
    np.testing.assert_array_equal(np.flatnonzero(mask), [14, 15, 18])
    assert "3 sequences are too few" in caplog.text


def test_single_frames_cannot_be_hold_out_sequences() -> None:
    with pytest.raises(ValueError, match="2 frames are too few to hold out one for validation"):
        hold_out_sequences(["a", "b"], "REDS")
