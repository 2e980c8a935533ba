"""Each file below a folder is found once, whichever links lead to it, or a message says what is missing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deblurlab.pictures.folders import LeftOut, files_below


def test_a_file_has_the_path_without_a_link_if_it_has_one(tmp_path: Path) -> None:
    """Otherwise the order in which a disk lists its folders would decide."""
    for name in ("top/z", "top/a", "top/m/n", "elsewhere/deep"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("top/z/1", "top/m/n/2", "elsewhere/deep/3"):
        (tmp_path / name).touch()
    (tmp_path / "top/a/link").symlink_to(tmp_path / "top/z")
    (tmp_path / "top/0").symlink_to(tmp_path / "top/m")
    (tmp_path / "top/a/far").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/back").symlink_to(tmp_path / "top")
    found = sorted(str(file.relative_to(tmp_path / "top")) for file in files_below(tmp_path / "top"))
    assert found == ["a/far/deep/3", "m/n/2", "z/1"]


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    """Whoever asked for them says what was expected there."""
    assert list(files_below(tmp_path / "nothing")) == []


def test_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to("/nowhere/album")
    (tmp_path / ".lock").symlink_to("me@here:1")  # editors make such links, which never lead anywhere
    (tmp_path / "a.png").symlink_to("/nowhere/a.png")
    left_out = LeftOut({".png"})
    assert [file.name for file in sorted(files_below(tmp_path)) if left_out.takes(file, tmp_path)] == ["a.png"]
    assert left_out.lines() == ["left out, because these links lead nowhere: gone -> /nowhere/album"]


@contextmanager
def not_as_root() -> Iterator[None]:
    """The body runs without the right to read everything, also if the tests run as root."""
    if root := os.geteuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no such permissions")
def test_a_folder_that_may_not_be_read_is_named_unless_it_is_a_system_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)  # the folders above it may not be entered by everyone
    Path("top/lost+found").mkdir(parents=True)
    Path("top/a").touch()
    Path("top/lost+found").chmod(0)
    with not_as_root():
        assert list(files_below(Path("top"))) == [Path("top/a")]
    Path("top/private").mkdir(mode=0)
    with not_as_root(), pytest.raises(PermissionError, match="'top/private'"):
        list(files_below(Path("top")))
