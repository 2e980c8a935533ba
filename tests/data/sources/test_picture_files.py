import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from deblurlab.data.sources.layouts import find_frames
from deblurlab.data.sources.own_pictures import find_pictures
from deblurlab.data.sources.picture_files import FilePair, image_tree, size_of_pair, without_partner
from deblurlab.pictures import SUFFIXES
from deblurlab.pictures.folders import LeftOut
from tests.pictures import REDS_LAYOUT, picture, write_reds


def test_symlink_loops_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    assert list(image_tree(tmp_path, LeftOut(SUFFIXES))) == ["a/1"]


def test_linked_folders_are_entered(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.jpg").touch()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "elsewhere")
    assert list(image_tree(tmp_path / "root", LeftOut(SUFFIXES))) == ["linked/1"]


def test_each_side_tells_what_it_lacks() -> None:
    blurred = {name: Path(f"blurred/{name}.png") for name in ("a", "c", "b")}
    sharp = {name: Path(f"sharp/{name}.jpg") for name in ("b", "d")}
    assert list(without_partner(blurred, sharp)) == [
        ("sharp", ["a", "c"], [Path("blurred/a.png"), Path("blurred/c.png")]),
        ("blurred", ["d"], [Path("sharp/d.jpg")]),
    ]
    assert list(without_partner(blurred, blurred)) == []


def two_sides(folder: Path, blurred: list[str], sharp: list[str]) -> Path:
    for side, names in (("blurred", blurred), ("sharp", sharp)):
        for name in names:
            (folder / side / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(0, 12, 16)).save(folder / side / name)
    return folder


def test_names_that_look_alike_are_a_pair(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "café/é") for form in ("NFC", "NFD"))
    assert composed != decomposed
    (pair,) = find_pictures(two_sides(tmp_path, [f"{composed}.png"], [f"{decomposed}.png"])).pictures
    assert isinstance(pair, FilePair)
    assert (pair.blurred, pair.sharp) == (tmp_path / f"blurred/{composed}.png", tmp_path / f"sharp/{decomposed}.png")


def test_two_names_that_look_alike_on_one_side_are_told(tmp_path: Path) -> None:
    names = [unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD")]
    (problem,) = find_pictures(two_sides(tmp_path, names, names[:1])).problems
    assert "have the same name but for the way in which their accents are stored" in problem


def test_sequences_whose_names_look_alike_are_one(tmp_path: Path) -> None:
    write_reds(tmp_path, sequences=1, frames=1, test_sequences=0)
    for side, form in (("blur", "NFC"), ("sharp", "NFD")):
        folder = tmp_path / "train" / f"train_{side}" / "000"
        folder.rename(folder.with_name(unicodedata.normalize(form, "é")))
    (pair,) = find_frames(tmp_path, "train", REDS_LAYOUT)
    assert pair.blurred.is_file()
    assert pair.sharp.is_file()


def test_two_sequences_whose_names_look_alike_are_told(tmp_path: Path) -> None:
    """One of them was left out without a word."""
    write_reds(tmp_path, sequences=2, frames=1, test_sequences=0)
    for folder in [*tmp_path.glob("train/*/000"), *tmp_path.glob("train/*/001")]:
        folder.rename(folder.with_name(unicodedata.normalize("NFC" if folder.name == "000" else "NFD", "é")))
    with pytest.raises(ValueError, match="have the same name but for the way in which their accents are stored"):
        find_frames(tmp_path, "train", REDS_LAYOUT)


def test_what_systems_leave_beside_pictures_is_left_out_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for name in (
        "a.png",
        "._a.png",
        "@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg",
        "__MACOSX/a.png",
        ".DS_Store",
        "b.heic",
        "c.jfif",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_pictures(tmp_path).pictures == [tmp_path / "a.png", tmp_path / "c.jfif"]
    left_out, others = (record.message for record in caplog.records)
    assert left_out.endswith("._a.png, @eaDir/a.png/SYNOPHOTO_THUMB_M.jpg, __MACOSX/a.png")
    assert others.endswith("because their format is not supported: b.heic; b.heic: save it as JPEG or PNG first")


def test_what_systems_leave_beside_frames_is_left_out_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    write_reds(tmp_path, sequences=1, frames=2, test_sequences=0)
    (tmp_path / "train/train_blur/000/._00000000.png").touch()
    (tmp_path / "train/train_blur/@eaDir").mkdir()
    assert len(find_frames(tmp_path, "train", REDS_LAYOUT)) == 2
    assert "._00000000.png" in caplog.text


def test_sequences_that_are_links_to_nowhere_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    write_reds(tmp_path, sequences=1, frames=2, test_sequences=0)
    for side in ("blur", "sharp"):
        (tmp_path / f"train/train_{side}/001").symlink_to("/nowhere/001")
    assert len(find_frames(tmp_path, "train", REDS_LAYOUT)) == 2
    for side in ("blur", "sharp"):
        assert f"train/train_{side}/001 -> /nowhere/001" in caplog.text


def test_folders_that_are_links_to_nowhere_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    two_sides(tmp_path, ["a.png"], ["a.png"])
    (tmp_path / "photographs").symlink_to("/nowhere")
    assert len(find_pictures(tmp_path).pictures) == 1
    assert "these links lead nowhere: photographs -> /nowhere" in caplog.text
    for side in ("blurred", "sharp"):
        (tmp_path / side).rename(tmp_path.parent / f"{tmp_path.name} {side}")
        (tmp_path / side).symlink_to("/nowhere")
    with pytest.raises(ValueError, match="holds no pictures"):
        find_pictures(tmp_path)
    assert "blurred -> /nowhere, photographs -> /nowhere, sharp -> /nowhere" in caplog.text


def test_a_pair_of_two_sizes_is_told_by_the_headers(tmp_path: Path) -> None:
    two_sides(tmp_path, ["a.png"], [])
    Image.fromarray(picture(0, 12, 20)).save(tmp_path / "b.png")
    with pytest.raises(ValueError, match=r"a\.png is 16x12, .*b\.png is 20x12"):
        size_of_pair(FilePair("", "a", tmp_path / "blurred/a.png", tmp_path / "b.png"))
