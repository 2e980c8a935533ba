"""What cannot be read as a file is refused in words that name it, and nothing waits for a pipe's other end."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from deblurlab.pictures.regular_file import is_lost_link, require_file


def bind(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(file.name)


# How to make each, from within its folder, and the words about it.
NO_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "lost link": (lambda file: file.symlink_to("nowhere/b.png"), "is a symbolic link to nowhere/b.png, which cannot"),
    "circle": (lambda file: file.symlink_to(file), r"is a symbolic link to a\.png, .*Too many levels"),
    "named pipe": (lambda file: os.mkfifo(file), r"is a named pipe, not a file\.$"),
    "socket": (bind, r"is a socket, not a file\.$"),
    "folder": (lambda file: file.mkdir(), r"is a folder, not a file\.$"),
    "link to a pipe": (lambda file: (os.mkfifo("p"), file.symlink_to("p")), r"is a named pipe, not a file\.$"),
    "nothing": (lambda file: None, r"cannot be read \(No such file or directory\)\.$"),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make, words = NO_FILES[kind]
    make(Path("a.png"))
    with pytest.raises(ValueError, match=f"^a.png {words}"):
        require_file(Path("a.png"))
    assert is_lost_link(Path("a.png")) == (kind in ("lost link", "circle"))


def test_a_file_and_a_link_to_one_are_fine(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").symlink_to("a")
    for name in ("a", "b"):
        require_file(tmp_path / name)
        assert not is_lost_link(tmp_path / name)
