"""The code in the documents is run where a marker says so (see tests/documents.py), and parses everywhere."""

import re
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.documents import ROOT, blocks, follow, is_slow, require_syntax

PAGES = sorted(page for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("src/deblurlab/*/*.md")))
MARKED = [page for page in PAGES if any(block.action != "show" for block in blocks(page))]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_python_and_yaml_parse(page: Path) -> None:
    for block in blocks(page):
        require_syntax(block)


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.slow) if is_slow(page) else page for page in MARKED], ids=name
)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    follow(page, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_lines_are_no_longer_than_those_of_code(page: Path) -> None:
    """Except where a line break would be wrong: in code, in tables, and in a picture with its text."""
    lines = re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL).splitlines()
    assert [line for line in lines if len(line) > 120 and not line.startswith(("|", "!["))] == []


def test_there_are_pages_whose_code_is_run() -> None:
    assert ROOT / "docs" / "python.md" in MARKED


GOOD = """\
A page, as a reader sees it.

<!-- file: mine/greeting.py -->
```python
def greet(name: str) -> str:
    return f"Hello, {name}."
```

Text in between.

<!-- run -->
```python
from mine.greeting import greet

print("first")
print(greet("world"))
print("last")
```

<!-- output -->
```text
first
...
Hello, world.
```

<!-- run -->
```bash
echo one > note.txt
python -c 'import deblurlab, mine.greeting; print(deblurlab.__file__)'
```
"""


def written(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text)
    return page


def test_files_are_written_and_programs_run_in_one_folder(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    follow(written(tmp_path, GOOD), tmp_path / "page")
    assert (tmp_path / "page/mine/greeting.py").read_text().startswith("def greet")
    assert (tmp_path / "page/note.txt").read_text() == "one\n"
    assert not (tmp_path / "page/src").exists()


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("Hello, world.\n```", "Good bye.\n```", r"page.md, line 21: the output lacks 'Good bye\.' at its place"),
        ("first\n...\nHello", "last\n...\nHello", "the output lacks 'Hello, world"),  # in another order
        ('print("first")', 'raise SystemExit("no")', "page.md, line 12: this ended with status 1"),
        ("echo one", "false", "page.md, line 28: this ended with status 1"),
        ("<!-- output -->", "<!-- outptu -->", "page.md, line 21: <!-- outptu --> is not a marker"),
        ("```bash", "```fortran", "run is for bash and python, not for fortran"),
    ],
)
def test_a_page_that_is_wrong_fails(right: str, wrong: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    assert GOOD.count(right) == 1
    with pytest.raises(ValueError, match=message):
        follow(written(tmp_path, GOOD.replace(right, wrong)), tmp_path / "page")


def test_a_page_that_changes_deblurlab_changes_a_copy(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    file = "src/deblurlab/__init__.py"
    before = (ROOT / file).read_text().splitlines(keepends=True)
    after = [*before, "PATCHED = True\n"]
    patch = "".join(unified_diff(before, after, f"a/{file}", f"b/{file}"))
    program = "import deblurlab; assert deblurlab.PATCHED; print(deblurlab.__file__)"
    text = f"<!-- patch -->\n```diff\n{patch}```\n<!-- run -->\n```python\n{program}\n```\n"
    follow(written(tmp_path, f"{text}<!-- output -->\n```text\npage/{file}\n```\n"), tmp_path / "page")
    assert "PATCHED" not in (ROOT / file).read_text()


@pytest.mark.parametrize("text", ["```python\ndef\n```\n", "```yaml\na: [\n```\n"])
def test_what_does_not_parse_is_found(text: str, tmp_path: Path) -> None:
    (block,) = blocks(written(tmp_path, text))
    with pytest.raises(ValueError, match="line 1: this is no"):
        require_syntax(block)
