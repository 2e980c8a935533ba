"""``deblurlab`` by itself lists the commands, and ``deblurlab COMMAND`` runs one."""

import importlib.metadata
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import deblurlab
from deblurlab.__main__ import commands, main, usage
from tests.conftest import ROOT, run_command

SOURCE = Path(deblurlab.__file__).parent


def python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "HYDRA_FULL_ERROR"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_list_has_a_line_for_each_command() -> None:
    modules = {file.stem for file in SOURCE.glob("*.py")} - {"__init__", "__main__", "interfaces"}
    assert set(commands()) == modules
    lines = usage().splitlines()
    for command in commands():
        (line,) = [line for line in lines if line.split()[:1] == [command]]
        assert line.endswith("."), "the first line of a command's docstring is a sentence"
        assert len(line) <= 120


def test_the_list_imports_nothing_that_takes_time(tmp_path: Path) -> None:
    """Half a second is the limit: torch alone takes longer, and the standard library a tenth of it."""
    program = (
        "import sys; from deblurlab.__main__ import main; sys.argv = ['deblurlab']; main();"
        "print(sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )
    done = python("-S", "-c", f"import sys; sys.path.insert(0, {str(SOURCE.parent)!r}); {program}", folder=tmp_path)
    assert done.stdout.splitlines()[-1] == "['__main__', 'deblurlab']", done.stderr


@pytest.mark.parametrize("arguments", [["train"], ["train", "--help"], ["restore", "--help"]])
def test_a_command_is_the_same_by_either_name(arguments: list[str], tmp_path: Path) -> None:
    name, *more = arguments
    more = more or ["experiment=cifar10_unet16", "--cfg", "job"]
    done, other = python("-m", "deblurlab", name, *more, folder=tmp_path), run_command(tmp_path, name, *more)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == other.stdout
    assert "trainer:" in done.stdout


@pytest.mark.slow
def test_a_sweep_starts_by_either_name(tmp_path: Path) -> None:
    """Each job is ``python -m deblurlab.train``, whatever started the sweep."""
    few = [f"trainer.limit_{stage}_batches=1" for stage in ("train", "val", "test")]
    settings = ["trainer=cpu", "trainer.max_epochs=1", "model.network.widths=[2,4]", "hydra.sweep.dir=sweep", *few]
    done = python(
        "-m", "deblurlab", "train", "--multirun", "seed=3", "callbacks.panel=null", *settings, folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "sweep/summary.csv").is_file()


def test_a_misspelt_command_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for word, answer in (("trian", "did you mean train?"), ("xyz", "convert, demo, evaluate, export, plan, prepare")):
        monkeypatch.setattr(sys, "argv", ["deblurlab", word])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        assert answer in capsys.readouterr().err


def test_the_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["deblurlab", "--version"])
    main()
    assert capsys.readouterr().out == f"deblurlab {deblurlab.__version__}\n"


def test_the_console_script_is_this_function() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    entry = importlib.metadata.EntryPoint("deblurlab", project["scripts"]["deblurlab"], "console_scripts")
    assert entry.load() is main
