"""A file is whole or not there, whatever happens to the process that writes it."""

import ast
import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import deblurlab
from deblurlab.files.vanished import vanishing_told
from deblurlab.files.whole_file import require_writable, whole_file
from tests.conftest import HANG_SECONDS


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("before", [None, "what stood there before"])
def test_a_file_appears_when_it_is_whole(tmp_path: Path, before: str | None) -> None:
    file = tmp_path / "some/folder/scores.json"
    if before:
        file.parent.mkdir(parents=True)
        file.write_text(before)
    with whole_file(file) as partial:
        partial.write_text("half")
        assert (file.read_text() if file.exists() else None) == before
        partial.write_text("whole")
    assert file.read_text() == "whole"
    assert names(file.parent) == ["scores.json"]


@pytest.mark.parametrize("before", [None, "what stood there before"])
def test_an_error_leaves_what_stood_there(tmp_path: Path, before: str | None) -> None:
    file = tmp_path / "scores.json"
    if before:
        file.write_text(before)

    def fail() -> None:
        with whole_file(file) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(tmp_path) == (["scores.json"] if before else [])
    assert before is None or file.read_text() == before


def test_a_killed_process_leaves_what_stood_there_and_the_next_writer_tidies_up(tmp_path: Path) -> None:
    file = tmp_path / "scores.json"
    file.write_text("before")
    program = (
        "import os, sys; from deblurlab.files.whole_file import whole_file\n"
        "with whole_file(sys.argv[1]) as partial:\n"
        "    partial.write_text('half ' * 1000)\n"
        "    os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, file], check=False, timeout=HANG_SECONDS)
    assert killed.returncode == -signal.SIGKILL
    assert file.read_text() == "before"
    assert names(tmp_path) == [".scores.json.partial", "scores.json"]
    with whole_file(file) as partial:
        assert partial.read_bytes() == b""
        partial.write_text("whole")
    assert file.read_text() == "whole"
    assert names(tmp_path) == ["scores.json"]


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127 + "x", "x" * 251 + ".png", "x" * 101, "."])
def test_the_longest_names_that_a_file_system_takes(tmp_path: Path, name: str) -> None:
    file = tmp_path / name if name != "." else tmp_path / ".hidden"
    with whole_file(file) as partial:
        assert len(os.fsencode(partial.name)) <= 109
        partial.write_text("whole")
    assert names(tmp_path) == [file.name]


def test_long_names_have_partial_files_of_their_own(tmp_path: Path) -> None:
    with whole_file(tmp_path / ("x" * 250 + "a")) as one, whole_file(tmp_path / ("x" * 250 + "b")) as other:
        assert one != other


def test_a_new_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    with whole_file(tmp_path / "scores.json") as partial:
        partial.write_text("whole")
    (tmp_path / "other").write_text("")
    assert (tmp_path / "scores.json").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_the_content_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[tuple[str, list[str]]] = []

    def fsync(descriptor: int) -> None:
        flushed.append((os.pread(descriptor, 100, 0).decode(), names(tmp_path)))

    monkeypatch.setattr(os, "fsync", fsync)
    with whole_file(tmp_path / "scores.json") as partial:
        partial.write_text("whole")
    assert flushed == [("whole", [".scores.json.partial"])]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no lock on Windows")
def test_two_writers_take_turns(tmp_path: Path) -> None:
    file = tmp_path / "scores.json"
    started = threading.Event()
    order: list[str] = []

    def second() -> None:
        started.set()
        with whole_file(file) as partial:
            order.append(file.read_text())
            partial.write_text("second")

    thread = threading.Thread(target=second)
    with whole_file(file) as partial:
        partial.write_text("fir")
        thread.start()
        started.wait()
        time.sleep(0.2)
        assert order == []
        partial.write_text("first")
    thread.join(timeout=HANG_SECONDS)
    assert order == ["first"]
    assert file.read_text() == "second"
    assert names(tmp_path) == ["scores.json"]


class _TorchsError(RuntimeError):
    """What torch makes of an error of the stream that it writes to."""


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_full_disk_is_named_whoever_writes(tmp_path: Path, wrapped: bool) -> None:
    file = tmp_path / "last.ckpt"
    file.write_text("before")

    def write() -> None:
        with whole_file(file):
            try:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:
                if wrapped:
                    raise _TorchsError("unexpected pos 3713472 vs 3713360") from error
                raise

    with pytest.raises(OSError, match=r"No space left on device: '.*last\.ckpt'") as caught:
        write()
    assert caught.value.errno == errno.ENOSPC
    assert names(tmp_path) == ["last.ckpt"]
    assert file.read_text() == "before"


def test_an_error_in_rusts_words(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No space left on device: '.*weights'"), whole_file(tmp_path / "weights"):
        raise _TorchsError("I/O error: No space left on device (os error 28)")


def test_whether_a_folder_can_be_written_is_asked_without_a_trace(tmp_path: Path) -> None:
    require_writable(tmp_path / "new" / "below")
    assert names(tmp_path) == []
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(NotADirectoryError) as refused:
            require_writable(folder)
        assert refused.value.filename == str(folder)
    with pytest.raises(OSError, match="/proc/x"):  # in which nobody may make a file
        require_writable(Path("/proc/x"))


def test_other_errors_stay_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(_TorchsError, match="a bug"), whole_file(tmp_path / "weights"):
        raise _TorchsError("a bug")


def test_nobody_renames_by_hand() -> None:
    """One way to write a file whole, and one for a folder.

    Two modules are left out: prepare's folder of pairs grows over several calls, and a folder of W&B's that holds
    nothing only gets another name. ``Path.replace`` and ``Path.rename`` take one argument, ``str.replace`` two.
    """
    found = [
        f"{file}:{node.lineno}"
        for file in Path(deblurlab.__file__).parent.rglob("*.py")
        if file.name not in ("whole_file.py", "whole_folder.py", "averaged_frames.py", "wandb_rows.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if (node.func.attr in ("replace", "rename") and len(node.args) == 1) or node.func.attr == "move"
    ]
    assert found == []


def _write(file: Path) -> None:
    with whole_file(file) as partial:
        partial.write_text("whole")


@pytest.mark.parametrize("then", ["run/scores.json", "run/checkpoints/best.ckpt"])
def test_a_folder_that_vanishes_under_a_command_is_told_and_not_made_anew(then: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with vanishing_told():
        _write(run / "config.yaml")
        shutil.rmtree(run)
        with pytest.raises(FileNotFoundError, match="the folder has vanished while it was written to") as told:
            _write(tmp_path / then)
        assert told.value.filename == str(run)
        assert not run.exists()
        _write(tmp_path / "elsewhere/scores.json")
    _write(tmp_path / then)  # of another command, which has not written there


def test_a_folder_that_has_another_name_now_is_not_missed(tmp_path: Path) -> None:
    with vanishing_told():
        _write(tmp_path / "unfinished/a.png")
        (tmp_path / "unfinished").rename(tmp_path / "whole")
        _write(tmp_path / "whole/b.png")
