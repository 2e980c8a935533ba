"""The process of a job: shown, judged, and never left alone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deblurlab.sweeps.process import run_process
from tests.conftest import HANG_SECONDS, wait_for_end_of_processes_in


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a module ``stand_in`` that processes find."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    (tmp_path / "job").mkdir()
    return tmp_path / "stand_in.py"


def test_a_module_runs_as_python_does_it(module: Path, tmp_path: Path) -> None:
    module.write_text(
        "import pathlib, sys, __main__\n"
        "assert __name__ == '__main__' and __main__.__file__ == __file__ == sys.argv[0]\n"
        "assert __spec__.name == 'stand_in'\n"
        "(pathlib.Path(sys.argv[2]) / 'metrics.json').write_text(sys.argv[1])"
    )
    assert run_process(["stand_in", "a=b c", str(tmp_path / "job")], tmp_path / "job") == "finished"
    assert (tmp_path / "job/metrics.json").read_text() == "a=b c"
    assert not (tmp_path / "job/failure.txt").exists()


@pytest.mark.parametrize(
    ("end", "told"),
    [("sys.exit(3)", "exit status 3"), ("os.abort()", "killed by SIGABRT"), ("pass", "exit status 0")],
)
def test_a_failure_keeps_the_last_lines(
    module: Path, tmp_path: Path, end: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without test scores, ending without an error is a failure, too."""
    module.write_text(f"import os, sys\nfor number in range(100): print('line', number, flush=True)\n{end}")
    assert run_process(["stand_in"], tmp_path / "job") == "failed"
    failure = (tmp_path / "job/failure.txt").read_text().splitlines()
    assert failure[0] == told
    assert failure[2:82] == [f"line {number}" for number in range(20, 100)]
    assert "job | line 0\n" in capsys.readouterr().err


def test_a_job_is_pruned(module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module.write_text(
        "import pathlib, time\n"
        "for number in range(3): print(number, flush=True)\n"
        "time.sleep(600)\n"
        "pathlib.Path('at its end').touch()"
    )
    monkeypatch.chdir(tmp_path)
    asked: list[int] = []
    ended = run_process(["stand_in"], tmp_path / "job", should_prune=lambda: bool(asked.append(1)) or len(asked) > 2)
    assert ended == "pruned"
    assert len(asked) == 3
    assert not (tmp_path / "at its end").exists()


def test_a_job_may_say_goodbye_when_the_sweep_is_interrupted(module: Path, tmp_path: Path) -> None:
    module.write_text(
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        "    time.sleep(0.5)\n"
        "    pathlib.Path(sys.argv[1]).write_text('goodbye')\n"
        "    sys.exit(1)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True)\n"
        "time.sleep(3600)"
    )

    def interrupt() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_process(["stand_in", str(tmp_path / "said")], tmp_path / "job", should_prune=interrupt)
    assert (tmp_path / "said").read_text() == "goodbye"


def test_a_job_dies_with_its_sweep(module: Path, tmp_path: Path) -> None:
    """Killed without notice, the sweep cannot end its job: the job notices by itself."""
    module.write_text("import time\nprint('ready', flush=True)\ntime.sleep(3600)")
    sweep = (
        "import os, pathlib; from deblurlab.sweeps.process import run_process\n"
        "run_process(['stand_in'], pathlib.Path('job'), should_prune=lambda: os.kill(os.getpid(), 9))"
    )
    killed = subprocess.run([sys.executable, "-c", sweep], cwd=tmp_path, timeout=HANG_SECONDS, check=False)
    assert killed.returncode == -signal.SIGKILL
    wait_for_end_of_processes_in(tmp_path)
