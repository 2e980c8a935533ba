"""A folder that is written whole or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest

from deblurlab.files.whole_folder import whole_folder
from tests.conftest import HANG_SECONDS

KILLED = """
import os, sys
from pathlib import Path
from deblurlab.files.whole_folder import whole_folder
with whole_folder(Path(sys.argv[1])) as partial:
    (partial / "half").write_text("half")
    os.kill(os.getpid(), 9)
"""


def content(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for name in ("one", "other"):
        with whole_folder(tmp_path / "made/folder") as partial:
            (partial / name).write_text(name)
    assert content(tmp_path / "made/folder") == ["other"]
    assert content(tmp_path / "made") == ["folder"]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "folder") as partial:
        (partial / "whole").write_text("whole")
    with pytest.raises(OSError, match="disk"), whole_folder(tmp_path / "folder") as partial:
        raise OSError("disk")
    assert content(tmp_path / "folder") == ["whole"]
    assert content(tmp_path) == ["folder"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "folder"], check=False, timeout=HANG_SECONDS)
    assert ".folder.partial" in content(tmp_path)
    with whole_folder(tmp_path / "folder") as partial:
        (partial / "whole").write_text("whole")
    assert content(tmp_path) == ["folder"]
    assert content(tmp_path / "folder") == ["whole"]
