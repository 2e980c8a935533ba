"""Runs the code of documents, so that a page cannot show what does not work. How to mark code in a page:

An HTML comment on the line before a fenced block is a marker; readers do not see it. There are four:

    <!-- file: mine/huber.py -->     The block is written to this file of the page's folder.
    <!-- patch -->                   The block, a ```diff, is applied to the page's folder by ``git apply --recount``:
                                     each hunk needs a few unchanged lines on both sides, its counts may be wrong.
    <!-- run -->                     The block, ```bash or ```python, is run in the page's folder and must succeed.
    <!-- output -->                  The block is what the last run printed: each of its lines must stand in the
                                     output, in this order. A line of dots, ``...``, stands for any lines.

A page has one temporary folder, in which its blocks are done from top to bottom, as by a reader. The folder is empty
at first, and modules in it can be imported. If a page writes or patches a file below ``src/`` or ``tests/``, its folder
is a copy of the repository's src/, tests/ and pyproject.toml from the start, and `deblurlab` is imported from there.
``python`` is the one that runs the tests, and ``deblurlab`` is its ``python -m deblurlab``.

A page with ``<!-- slow -->`` anywhere is run with the slow tests only. Any other comment just before a block is an
error: it may be a misspelt marker. Blocks without a marker are not run, but python and yaml must parse.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from markdown_it import MarkdownIt

from tests.conftest import HANG_SECONDS

ROOT = Path(__file__).parents[1]
COPIED = ("src", "tests", "pyproject.toml")
_SCRIPT_OF_THIS_SOURCE = 'deblurlab() { python -m deblurlab "$@"; }\n'
_MARKER = re.compile(r"<!-- (?:(?P<plain>run|patch|output)|file: (?P<file>[\w./-]+)) -->")

Action = Literal["show", "file", "patch", "run", "output"]


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block of a page.

    Attributes:
        place: The page and the line where the block begins, for messages.
        language: The word behind the opening fence, "" if there is none.
        text: What stands between the fences.
        action: What the block's marker says; "show" without a marker.
        file: Where the block is to be written if the action is "file", else "".
    """

    place: str
    language: str
    text: str
    action: Action
    file: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a Markdown page from top to bottom.

    Raises:
        ValueError: naming the page and the line, if a comment before a block is not a marker.
    """
    found: list[Block] = []
    comment = ""
    for token in MarkdownIt().parse(page.read_text()):
        if token.type == "fence":
            assert token.map
            place = f"{page.name}, line {token.map[0] + 1}"
            marker = _MARKER.fullmatch(comment)
            if comment.startswith("<!--") and comment != "<!-- slow -->" and not marker:
                raise ValueError(f"{place}: {comment} is not a marker; tests/documents.py has the list.")
            plain, file = (marker["plain"], marker["file"]) if marker else (None, None)
            language = token.info.split()[0].strip("{}") if token.info else ""
            action = "file" if file else (plain or "show")
            found.append(Block(place=place, language=language, text=token.content, action=action, file=file or ""))
        comment = token.content.strip() if token.type == "html_block" else ""
    return found


def is_slow(page: Path) -> bool:
    return "<!-- slow -->" in page.read_text()


def require_syntax(block: Block) -> None:
    """Raise ValueError, naming the block's place, unless its python or yaml can be parsed."""
    try:
        if block.language == "python":
            ast.parse(block.text)
        elif block.language == "yaml":
            yaml.safe_load(block.text)
    except (SyntaxError, yaml.YAMLError) as error:
        raise ValueError(f"{block.place}: this is no {block.language}: {error}") from error


def follow(page: Path, folder: Path) -> None:
    """Do in an empty folder what the markers of a page say.

    Raises:
        ValueError: naming the page and the line of a block that fails, or whose output is not what the page shows.
    """
    steps = blocks(page)
    own_copy = any(step.file.startswith(("src/", "tests/")) or step.action == "patch" for step in steps)
    if own_copy:
        for name in COPIED:
            _copy(ROOT / name, folder / name)
    source = folder / "src" if own_copy else ROOT / "src"
    printed = ""
    for step in steps:
        if step.action == "file":
            file = folder / step.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(step.text)
        elif step.action == "patch":
            _run(step, ["git", "apply", "--recount", "-"], folder, source, stdin=step.text)
        elif step.action == "run":
            printed = _run(step, _program(step), folder, source)
        elif step.action == "output":
            require_output(step, printed)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _program(step: Block) -> list[str]:
    programs = {
        "bash": ["bash", "-euo", "pipefail", "-c", _SCRIPT_OF_THIS_SOURCE + step.text],
        "python": [sys.executable, "-c", step.text],
    }
    if step.language not in programs:
        raise ValueError(f"{step.place}: run is for bash and python, not for {step.language or 'plain text'}.")
    return programs[step.language]


def _run(step: Block, program: list[str], folder: Path, source: Path, stdin: str | None = None) -> str:
    """What a program prints, standard error included."""
    unset = {"HYDRA_FULL_ERROR", "PYTEST_CURRENT_TEST"}
    environment = {name: value for name, value in os.environ.items() if name not in unset} | {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "PYTHONPATH": os.pathsep.join((str(folder), str(source))),
    }
    done = subprocess.run(
        program,
        cwd=folder,
        env=environment,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"{step.place}: this ended with status {done.returncode}:\n{step.text}\n{done.stdout}")
    return done.stdout


def require_output(shown: Block, printed: str) -> None:
    """Raise ValueError, naming the block's place, unless its lines stand in ``printed`` in their order."""
    lines: Iterator[str] = (line.strip() for line in printed.splitlines())
    for wanted in (line.strip() for line in shown.text.splitlines()):
        if wanted and wanted != "..." and not any(wanted in line for line in lines):
            raise ValueError(f"{shown.place}: the output lacks {wanted!r} at its place. It is:\n{printed}")
