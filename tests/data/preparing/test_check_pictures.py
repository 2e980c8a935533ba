"""Which of the user's own pictures a training could not use is told before it, and nothing else."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deblurlab.data import Folder
from deblurlab.data.preparing.check_pictures import check_pictures
from deblurlab.data.preparing.check_report import Report
from tests.conftest import Call
from tests.pictures import picture, write_pictures


def folder(root: Path, **options: Any) -> Folder:
    return Folder(root=str(root), patch=[16, 32], batch_size=4, shake_max=5.0, **options)


def looked_at(root: Path) -> Report:
    return check_pictures(folder(root), workers=2, progress=lambda _: None)


@pytest.mark.parametrize("kind", ["photographs", "pairs", "both"])
def test_sound_pictures_and_how_many_each_split_has(kind: str, tmp_path: Path) -> None:
    """A training's own data module is the oracle."""
    root = write_pictures(tmp_path, "pairs" if kind == "both" else kind)
    if kind == "both":
        write_pictures(root / "photographs", "photographs")
    report = looked_at(root)
    assert (report.problems, report.missing) == ([], [])
    data = folder(root)
    for split, line in zip(("train", "val", "test"), report.summary, strict=True):
        assert line.startswith(f"{split}: ")
        assert sum(int(word) for word in line.split() if word.isdecimal()) == len(data.source(split).groups)
    assert (
        report.summary[0]
        == {
            "photographs": "train: 8 photographs",
            "pairs": "train: 8 pairs",
            "both": "train: 8 pairs and 8 photographs",
        }[kind]
    )


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def transparent(file: Path) -> None:
    Image.fromarray(np.dstack([picture(0, 40, 70), np.full((40, 70), 200, np.uint8)])).save(file)


HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut short": (cut_short, "truncated"),
    "empty": (lambda file: file.write_bytes(b""), "cannot be read as a picture"),
    "another kind": (lambda file: file.write_text("not a picture"), "it is not a JPEG, PNG, TIFF, WebP or BMP file"),
    "small": (lambda file: Image.fromarray(picture(0, 10, 70)).save(file), r"is 70x10, smaller than data\.patch"),
    "transparent": (transparent, "is partly transparent"),
    "lost link": (lambda file: (file.unlink(), file.symlink_to("gone.png")), "is a symbolic link to gone.png"),
    "named pipe": (lambda file: (file.unlink(), os.mkfifo(file)), "is a named pipe, not a file"),
}


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("kind", ["photographs", "pairs"])
def test_a_picture_at_which_a_training_would_stop_is_named(harm: str, kind: str, tmp_path: Path) -> None:
    """The training is the oracle: it cannot read this picture, and it can read all others."""
    root = write_pictures(tmp_path / "train", kind).parent
    write_pictures(tmp_path / "test", kind)
    file = root / "train" / ("03.png" if kind == "photographs" else "blurred/03.png")
    change, message = HARMS[harm]
    change(file)
    report = looked_at(root)
    (problem,) = report.problems
    assert re.search(f"{re.escape(str(file))} .*{message}", problem)
    assert "data.on_error=skip" in report.remedy
    assert [line for line in report.summary if "1 of them unusable" in line] != []
    with pytest.raises(ValueError, match=re.escape(str(file))):
        read_all(folder(root))
    file.unlink()
    if kind == "pairs":
        (root / "train/sharp/03.png").unlink()
    assert looked_at(root).problems == []
    read_all(folder(root))


def read_all(data: Folder) -> None:
    for split in ("train", "val", "test"):
        source = data.source(split)
        for frame in range(len(source.groups)):
            source.read(frame, 0)


def test_every_picture_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    root = write_pictures(tmp_path, "photographs")
    for number in (1, 4, 8):
        (root / f"{number:02}.png").write_bytes(b"")
    assert [problem.split()[0] for problem in sorted(looked_at(root).problems)] == [
        str(root / f"{number:02}.png") for number in (1, 4, 8)
    ]


def test_pairs_of_two_sizes_or_places_are_told(tmp_path: Path) -> None:
    root = write_pictures(tmp_path, "pairs")
    for file in (root / "blurred").iterdir():
        Image.fromarray(np.roll(np.asarray(Image.open(file)), 3, 1)).save(file)
    Image.fromarray(picture(0, 41, 71)).save(root / "blurred/04.png")
    problems = looked_at(root).problems
    assert any("04.png is 71x41" in problem and "sharp/04.png is 70x40" in problem for problem in problems)
    assert any(problem.startswith("train: the blurred frames lie 0 rows and 3 columns off") for problem in problems)


def test_a_pair_without_its_partner_is_told_once_with_the_layout(tmp_path: Path) -> None:
    root = write_pictures(tmp_path, "pairs")
    (root / "sharp/04.png").unlink()
    report = looked_at(root)
    assert report.problems == [f"{root / 'sharp'} lacks 1 picture, first 04"]
    assert report.remedy.startswith("Expected below data.root:")


def test_a_folder_without_a_pair_says_so(tmp_path: Path) -> None:
    root = write_pictures(tmp_path, "pairs")
    for file in (root / "sharp").iterdir():
        file.rename(file.with_stem(f"{file.stem}_gt"))
    assert looked_at(root).summary == [f"{split}: no usable picture" for split in ("train", "val", "test")]


@pytest.mark.parametrize("kind", ["photographs", "pairs"])
def test_two_files_of_one_name_hide_nothing(kind: str, tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "train", kind).parent
    write_pictures(tmp_path / "test", kind)
    side = root / "train" / ("" if kind == "photographs" else "blurred")
    for number in range(7):
        Image.open(side / f"0{number}.png").save(side / f"0{number}.jpg", quality=95)
    (side / "08.png").write_bytes(b"")
    if kind == "pairs":
        (side / "09.png").unlink()
    problems = looked_at(root).problems
    doubles = [
        f"{side}/0{number}.jpg and {side}/0{number}.png have the same name but for the suffix: rename one of them or "
        "take it out"
        for number in range(7)
    ]
    lacks = [f"{side} lacks 1 picture, first 09"] if kind == "pairs" else []
    assert problems[:-1] == [*lacks, *doubles]
    assert f"{side}/08.png is empty" in problems[-1] or f"{side}/08.png cannot be read" in problems[-1]
    shown = rf"00\.jpg and (.*\n)*.*There are {len(lacks) + 2} more such problems\. Expected below"
    with pytest.raises(ValueError, match=shown):
        folder(root).setup("fit")


def test_two_photographs_of_one_name_are_told_although_one_alone_is_too_few(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg"):
        Image.fromarray(picture(0, 40, 70)).save(tmp_path / name)
    assert "have the same name" in looked_at(tmp_path).problems[0]
    with pytest.raises(ValueError, match="have the same name"):
        folder(tmp_path).setup("fit")


def test_a_folder_for_evaluate_alone_lacks_train_and_is_no_problem(tmp_path: Path) -> None:
    write_pictures(tmp_path / "test", "photographs")
    report = looked_at(tmp_path)
    assert report.summary == ["test: 10 photographs"]
    assert report.problems == []
    assert report.missing == [f"{tmp_path / 'train'}: without it, this folder is for evaluate alone"]


def test_the_command_tells_and_its_status_says_whether_all_is_well(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pictures(tmp_path / "photographs", "photographs")
    (tmp_path / "photographs/raw.heic").touch()
    words = ("data=folder", "data.root=photographs", "data.patch=[16,32]", "check=true")
    call("prepare", *words)
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("photographs: left out, because their format is not supported: raw.heic")
    assert told[1:] == [
        "train: 8 photographs",
        "val: 1 photograph",
        "test: 1 photograph",
        "No problems: every picture is readable and holds a patch, and pairs are aligned.",
    ]
    (tmp_path / "photographs/05.png").write_bytes(b"")
    with pytest.raises(SystemExit, match=r"(?s)photographs: 1 problem\.\n  photographs/05\.png .*take them out"):
        call("prepare", *words)
    with pytest.raises(SystemExit, match=r"root=x is a clip for data=video\. .* data=folder are data\.root=x"):
        call("prepare", "data=folder", "root=x", "check=true")


def test_few_photographs_are_not_called_a_sequence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3):
        Image.fromarray(picture(number, 40, 70)).save(tmp_path / f"{number}.png")
    assert looked_at(tmp_path).summary == ["train: 1 photograph", "val: 1 photograph", "test: 1 photograph"]
    assert caplog.text == ""
