"""What an installed deblurlab brings along."""

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import deblurlab
from tests.conftest import ROOT

SOURCE = Path(deblurlab.__file__).parent


@pytest.mark.slow
def test_the_wheel_works_from_any_directory(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, SOURCE.parents[1]], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("deblurlab/")}
    wanted = {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.suffix in (".py", ".yaml", ".html", ".jinja", ".safetensors", ".md")
    }
    assert packed - {"deblurlab/py.typed"} == wanted

    subprocess.run([*pip, "install", "--no-deps", "--target", tmp_path / "site", wheel], check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "deblurlab.train", "experiment=cifar10_unet16", "--cfg", "job"],
        cwd=elsewhere,
        env={"PYTHONPATH": str(tmp_path / "site"), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "max_epochs: 120" in done.stdout, done.stderr

    done = subprocess.run(
        [tmp_path / "site" / "bin" / "deblurlab"],
        cwd=elsewhere,
        env={"PYTHONPATH": str(tmp_path / "site"), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("usage: deblurlab COMMAND"), done.stderr


def test_no_document_goes_through_the_link_to_the_configurations() -> None:
    """``conf`` is a symbolic link, which Git checks out as a text file where the system has no such links."""
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    assert len(documents) > 1
    for file in documents:
        assert not re.search(r"\]\((\.\./)*conf[/)]", file.read_text()), file


def test_texts_are_written_and_read_in_one_encoding() -> None:
    """Without ``encoding`` it is the system's, on Windows one that lacks most letters, such as the report's σ."""
    calls = [
        (file, node)
        for folder in (SOURCE, ROOT / "tools")
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _opens_a_text(node.func.attr, node)
    ]
    assert len(calls) > 30
    lacking = [f"{file}:{node.lineno}" for file, node in calls if "encoding" not in {one.arg for one in node.keywords}]
    assert not lacking


def _opens_a_text(name: str, call: ast.Call) -> bool:
    if name in ("read_text", "write_text"):
        return True
    mode = call.args[0] if call.args else ast.Constant("r")  # of Image.open(file), the first argument is no constant
    return name == "open" and isinstance(mode, ast.Constant) and "b" not in str(mode.value)
