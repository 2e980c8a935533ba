"""Temporary folders are gone in the end: those of this process, and those that killed processes have left."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from deblurlab.files.scratch import scratch_folder
from tests.conftest import HANG_SECONDS


def test_what_a_killed_process_left_is_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = (
        "import os, sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
        "from deblurlab.files.scratch import scratch_folder\n"
        "with scratch_folder() as folder: (folder / 'half').write_text('half'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=False, timeout=HANG_SECONDS)
    (left,) = tmp_path.iterdir()
    (tmp_path / "deblurlab-thesis").mkdir()
    with scratch_folder() as mine:
        assert not left.exists()
        with scratch_folder():
            assert mine.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["deblurlab-thesis"]
