"""Pictures that another program has restored have the scores of those pixels, whichever way their files are named."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Call
from tests.pictures import picture

NAMES = ("a/001", "a/002", "b/001")


@pytest.fixture
def data(tmp_path: Path) -> tuple[str, ...]:
    """Frames of 60x80 pixels, of which whole patches cover 48x72."""
    for number, name in enumerate(NAMES):
        sequence, frame = name.split("/")
        for split in ("train", "test"):
            for side, content in (("blur", 2 * number), ("sharp", 2 * number + 1)):
                file = tmp_path / "gopro" / split / sequence / side / f"{frame}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(picture(content, 60, 80)).save(file)
    return ("data=gopro_full", f"data.root={tmp_path / 'gopro'}", "data.patch=[24,24]")


def results(folder: Path) -> tuple[dict[str, dict[str, float]], list[dict[str, str]]]:
    with (folder / "per_image.csv").open(newline="") as file:
        return json.loads((folder / "metrics.json").read_text()), list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["a/001", "a_001", "a-001"])
def test_blurred_pictures_have_the_scores_of_the_blurred(
    name: str, data: tuple[str, ...], call: Call, tmp_path: Path
) -> None:
    for one in NAMES:
        file = tmp_path / "theirs" / f"{one.replace('/', name[1])}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        sequence, frame = one.split("/")
        shutil.copy(tmp_path / "gopro/test" / sequence / "blur" / f"{frame}.png", file)
    call("evaluate", "restored=theirs", *data)
    scores, rows = results(tmp_path / "outputs/evaluate/theirs/gopro_full-patch_24")
    assert scores["restored"] == scores["blurred"]
    assert 0 < scores["restored"]["ssim"] < 1
    assert [row["frame"] for row in rows] == list(NAMES)
    assert all(row["restored_psnr"] == row["blurred_psnr"] for row in rows)
    assert (tmp_path / "outputs/evaluate/theirs/gopro_full-patch_24/panel.png").is_file()


def test_a_link_that_leads_nowhere_is_told(data: tuple[str, ...], call: Call, tmp_path: Path) -> None:
    for sequence in ("a", "b"):
        shutil.copytree(tmp_path / "gopro/test" / sequence / "sharp", tmp_path / "theirs" / sequence)
    (tmp_path / "theirs/b/001.png").unlink()
    (tmp_path / "theirs/b/001.png").symlink_to("gone.png")
    with pytest.raises(SystemExit, match=r"theirs/b/001\.png is a symbolic link to gone\.png, which cannot be opened"):
        call("evaluate", "restored=theirs", *data)


def test_two_pictures_of_one_image_are_told(data: tuple[str, ...], call: Call, tmp_path: Path) -> None:
    for sequence in ("a", "b"):
        shutil.copytree(tmp_path / "gopro/test" / sequence / "sharp", tmp_path / "theirs" / sequence)
    shutil.copy(tmp_path / "theirs/a/001.png", tmp_path / "theirs/a/001.jpg")
    with pytest.raises(SystemExit, match=r"a/001\.jpg and theirs/a/001\.png have the same name but for the suffix"):
        call("evaluate", "restored=theirs", *data)


def test_each_image_has_its_own_picture(data: tuple[str, ...], call: Call, tmp_path: Path) -> None:
    """The sharp pictures are without error, but for one, in which a single pixel outside of all patches differs."""
    for sequence in ("a", "b"):
        shutil.copytree(tmp_path / "gopro/test" / sequence / "sharp", tmp_path / "theirs" / sequence)
    with Image.open(tmp_path / "theirs/b/001.png") as opened:
        changed = opened.copy()
    changed.putpixel((79, 59), (0, 0, 0))
    changed.save(tmp_path / "theirs/b/001.png")
    call("evaluate", "restored=theirs", "output=scores", *data)
    assert results(tmp_path / "scores")[0]["restored"]["infinite_psnr"] == 3
    changed.putpixel((0, 0), tuple(255 - value for value in changed.getpixel((0, 0))))
    changed.save(tmp_path / "theirs/b/001.png")
    call("evaluate", "restored=theirs", "output=scores", *data)
    _, rows = results(tmp_path / "scores")
    assert [float(row["restored_mae"]) > 0 for row in rows] == [False, False, True]


def test_a_lacking_picture_is_named_with_what_there_is(data: tuple[str, ...], call: Call, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "gopro/test/a/sharp", tmp_path / "theirs/a")
    with pytest.raises(SystemExit, match=r"lacks the pictures of 1 test image, such as b/001\..*It has a/001"):
        call("evaluate", "restored=theirs", *data)
    with pytest.raises(SystemExit, match=r"restored=nowhere: there is no such folder"):
        call("evaluate", "restored=nowhere", *data)


def test_pictures_of_another_scale_are_refused(data: tuple[str, ...], call: Call, tmp_path: Path) -> None:
    for name in NAMES:
        file = tmp_path / "theirs" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(0, 120, 160)).save(file)
    with pytest.raises(SystemExit, match=r"a/001\.png has 160x120 pixels, and the sharp image 72x48"):
        call("evaluate", "restored=theirs", *data)


@pytest.mark.parametrize(
    ("size", "chosen", "sharp"),
    [
        ((80, 61), ["data.whole_pictures=true"], "80x60"),
        ((81, 60), ["data=gopro", "data.size=[60,80]", "data.grid=[1,1]"], "80x60"),
        ((96, 60), [], "72x48"),  # a whole patch more
        ((80, 59), ["data.whole_pictures=true"], "80x60"),
    ],
)
def test_pictures_of_another_size_are_refused(
    size: tuple[int, int], chosen: list[str], sharp: str, data: tuple[str, ...], call: Call, tmp_path: Path
) -> None:
    for name in NAMES:
        file = tmp_path / "theirs" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(0, size[1], size[0])).save(file)
    if "data=gopro" in chosen:
        data = (data[1],)
    told = rf"a/001\.png has {size[0]}x{size[1]} pixels, and the sharp image {sharp}"
    with pytest.raises(SystemExit, match=told):
        call("evaluate", "restored=theirs", *data, *chosen)


def test_the_border_that_no_whole_patch_covers_is_told_once(
    data: tuple[str, ...], call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for sequence in ("a", "b"):
        shutil.copytree(tmp_path / "gopro/test" / sequence / "sharp", tmp_path / "theirs" / sequence)
    call("evaluate", "restored=theirs", *data)
    told = "a/001.png: of its 80x60 pixels the upper left 72x48 are scored"
    assert capsys.readouterr().err.count("are scored") == 1
    assert told in (tmp_path / "outputs/evaluate/theirs/gopro_full-patch_24/run.log").read_text()
    call("evaluate", "restored=theirs", *data, "data.whole_pictures=true")
    assert "are scored" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["restored=.", "weights=photographs"], "give either run=FOLDER, or weights=NAME_OR_FILE or restored=FOLDER"),
        (["restored=."], r"restored=\. comes without data"),
        (["restored=.", "data=sample"], "test images with file names, which data=sample does not have"),
        (["restored=.", "data=gopro", "window=300"], "ckpt_path, window, tta and trainer are settings of a network"),
        (["restored=.", "data=gopro", "tta=true"], "ckpt_path, window, tta and trainer are settings of a network"),
        (["restored=.", "data=gopro", "trainer.limit_test_batches=1"], "trainer are settings of a network"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: list[str], message: str, call: Call) -> None:
    with pytest.raises(SystemExit, match=message):
        call("evaluate", *arguments)


def test_pairs_that_lie_in_no_folder_are_named_by_their_files(call: Call, tmp_path: Path) -> None:
    for number in range(4):
        for side, content in (("blurred", 2 * number), ("sharp", 2 * number + 1)):
            file = tmp_path / "pairs" / side / f"{number:03}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(content, 60, 80)).save(file)
    shutil.copytree(tmp_path / "pairs/blurred", tmp_path / "theirs")
    call("evaluate", "restored=theirs", "data=folder", "data.root=pairs", "data.patch=[24,24]")
    scores, _ = results(tmp_path / "outputs/evaluate/theirs/folder-root_pairs-patch_24")
    assert scores["restored"] == scores["blurred"]
