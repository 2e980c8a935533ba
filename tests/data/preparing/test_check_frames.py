"""What is wrong with a tree of frames is told, and nothing else."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deblurlab.data.preparing.check_frames import check_frames
from deblurlab.data.preparing.check_report import Report, tell
from deblurlab.data.sources.layouts import find_frames
from tests.pictures import REDS_LAYOUT

Make = Callable[..., Path]


def looked_at(root: Path) -> Report:
    return check_frames(root, REDS_LAYOUT, workers=2, progress=lambda _: None)


def changed(folder: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    for file in folder.glob("*.png"):
        Image.fromarray(change(np.asarray(Image.open(file)))).save(file)


def test_a_sound_tree(make_reds: Make) -> None:
    report = looked_at(make_reds(sequences=2, frames=3))
    assert report.problems == []
    assert report.missing == [
        "train: 23,994 of the 24,000 published frame pairs",
        "test: 2,997 of the 3,000 published frame pairs",
    ]


def test_gaps_are_told(make_reds: Make) -> None:
    root = make_reds(sequences=3, frames=4)
    for side in ("blur", "sharp"):
        shutil.rmtree(root / f"train/train_{side}/001")
        (root / f"train/train_{side}/000/00000002.png").unlink()
    report = looked_at(root)
    assert report.problems == []
    assert report.missing[:2] == ["train 000: frames 00000002", "train: sequences 001"]


@pytest.mark.parametrize(
    ("missing", "end"), [([], "No problems: all is well."), (["a"], "No other problems: all is well.")]
)
def test_what_is_missing_is_not_called_no_problem(
    missing: list[str], end: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    tell(Report(checked="all is well", remedy="", summary=["train: 1 frame pair"], missing=missing), root="REDS")
    assert caplog.messages[-1] == end


def test_a_folder_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    assert looked_at(tmp_path / "nowhere").problems == [f"data.root={tmp_path}/nowhere: there is no such folder"]


def test_a_tree_without_frames_is_a_problem(tmp_path: Path) -> None:
    for folder in (*REDS_LAYOUT.train, *REDS_LAYOUT.test):
        (tmp_path / folder.format(sequence="000")).mkdir(parents=True)
    assert [problem for problem in looked_at(tmp_path).problems if "there is no frame pair" in problem] == [
        "train: there is no frame pair",
        "test: there is no frame pair",
    ]


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda root: (root / "train/train_blur/000/00000001.png").write_bytes(b"\x89PNG"), "00000001.png cannot be"),
        (lambda root: (root / "train/train_sharp/000/00000001.png").unlink(), "lacks 1 frame: 00000001"),
        (lambda root: changed(root / "train/train_blur/000", lambda pixels: pixels[2:]), "differ in size"),
        (
            lambda root: changed(root / "train/train_blur/000", lambda pixels: np.roll(pixels, 3, 1)),
            "lie 0 rows and 3 columns off",
        ),
        (
            lambda root: shutil.copy(
                root / "train/train_blur/000/00000001.png", root / "train/train_blur/000/00000001.jpg"
            ),
            "000/00000001.png have the same name but for the suffix",
        ),
        (lambda root: swap(root, "train/train_blur/000", "train/train_sharp/000"), "are swapped"),
        (lambda root: swap(root, "train/train_sharp/000", "train/train_sharp/001"), "show different scenes"),
    ],
)
def test_what_is_wrong_is_told(harm: Callable[[Path], object], problem: str, make_reds: Make) -> None:
    root = make_reds(sequences=2, frames=3)
    harm(root)
    problems = looked_at(root).problems
    assert 1 <= len(problems) <= 3
    assert any(problem in one for one in problems), problems


def test_two_files_of_one_name_hide_nothing(make_reds: Make) -> None:
    root = make_reds(sequences=2, frames=3)
    folder = root / "train/train_blur"
    shutil.copy(folder / "000/00000001.png", folder / "000/00000001.jpg")
    (folder / "001/00000002.png").write_bytes(b"")
    double, broken = looked_at(root).problems
    assert "have the same name" in double
    assert "001/00000002.png" in broken
    with pytest.raises(ValueError, match=r"00000001\.jpg and .* have the same name"):
        find_frames(root, "train", REDS_LAYOUT)


def test_other_moments_of_a_scene_are_no_shift(make_reds: Make) -> None:
    """A shift as far as the search looks may be farther."""
    root = make_reds(sequences=2, frames=3)
    changed(root / "train/train_blur/000", lambda pixels: np.roll(pixels, 12, 1))
    assert "other moments?" in looked_at(root).problems[0]


def swap(root: Path, one: str, other: str) -> None:
    (root / one).rename(root / "between")
    (root / other).rename(root / one)
    (root / "between").rename(root / other)
