import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deblurlab.data.sources.layouts import find_frames
from tests.pictures import REDS_LAYOUT


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
