"""Which files a call of ``restore`` reads and writes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deblurlab.restoring.comparison import side_by_side
from deblurlab.restoring.jobs import Job, find_jobs


def test_what_systems_leave_beside_pictures_is_left_out_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    top = tmp_path / ".hidden/@mine"  # the name of the folder that a user names does not count
    for name in ("a.jpg", "b.JFIF", "._a.jpg", "@eaDir/a.jpg/THUMB.jpg", "c.gif", ".DS_Store", "film.mkv"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()
    jobs = find_jobs(str(top), tmp_path / "out")
    assert [job.target for job in jobs] == [tmp_path / "out" / name for name in ("a.jpg", "b.JFIF", "film.mkv")]
    assert caplog.messages == [
        "left out, because systems add them to folders of pictures: ._a.jpg, @eaDir/a.jpg/THUMB.jpg",
        "left out, because their format is not supported: c.gif; c.gif: save its picture as PNG first, or its "
        "animation as MP4",
    ]


def test_suffixes_of_one_format_may_be_exchanged_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "a.jfif").touch()
    assert find_jobs(str(tmp_path / "a.jfif"), tmp_path / "b.jpg") == [Job(tmp_path / "a.jfif", tmp_path / "b.jpg")]
    with pytest.raises(ValueError, match=r"keeps its format, so it must end in \.jfif"):
        find_jobs(str(tmp_path / "a.jfif"), tmp_path / "b.png")


@pytest.mark.parametrize("name", ["é" * 125 + "0.png", "x" * 251 + ".jpg", "a.png"])
def test_a_comparison_has_a_name_that_file_systems_take(name: str, tmp_path: Path) -> None:
    comparison = Job(tmp_path / name, tmp_path / name).comparison
    comparison.touch()
    assert comparison.name.endswith(f"{name[-4:]}.compare.jpg")
    assert comparison.name == "a.png.compare.jpg" or len(comparison.name.encode()) > 250


@pytest.mark.parametrize("size", [(4, 40_000), (65_000, 4)])
def test_a_comparison_of_a_long_strip_is_shrunk_to_what_a_jpeg_holds(size: tuple[int, int], tmp_path: Path) -> None:
    before, after = (np.full((*size, 3), value, np.uint8) for value in (0, 200))
    side_by_side(before, after).save(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as written:
        assert max(written.size) > 60_000
        assert written.convert("L").getpixel((written.width * 3 // 4, written.height - 1)) == pytest.approx(200, abs=5)


@pytest.mark.parametrize("size", [(20, 20), (300, 7), (12, 60), (4_000, 70), (900, 400)])
def test_the_words_of_a_comparison_are_not_cut_off(size: tuple[int, int]) -> None:
    """All around both words is white, and each picture lies below the middle of its word."""
    black = np.zeros((*size, 3), np.uint8)
    sheet = np.asarray(side_by_side(black, black).convert("L"))
    band, middle = sheet[: -size[0]], sheet.shape[1] // 2
    assert (band[[0, -1]] == 255).all()
    for half, word in ((sheet[:, :middle], band[:, :middle]), (sheet[:, middle:], band[:, middle:])):
        columns = np.flatnonzero((word < 128).any(axis=0))
        assert 0 < columns[0] < columns[-1] < half.shape[1] - 1
        picture = np.flatnonzero(half[-1] == 0)
        assert len(picture) == size[1]
        assert picture.mean() == pytest.approx((half.shape[1] - 1) / 2, abs=1)
