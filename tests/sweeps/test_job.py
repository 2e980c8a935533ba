"""What a sweep's job is told."""

from pathlib import Path

import pytest

from deblurlab.app.invocation import parse_overrides
from deblurlab.checks.command_line import quoted
from deblurlab.sweeps.job import _folder_name
from deblurlab.sweeps.swept_keys import read_swept_keys


@pytest.mark.parametrize(
    "folder", ["it's (1)", "a b", "x\\y", "e\\", "q'\\'z", "a\\'b", 'dq"x', "$x", "é, [1]", "{a: b}"]
)
def test_a_sweeps_folder_may_have_any_name(folder: str) -> None:
    """Hydra reads back what the job is given."""
    assert parse_overrides([f"run={quoted(folder)}"])[0].value() == folder


@pytest.mark.parametrize(
    ("value", "name"),
    [("-0.5", "-0.5"), ("0.5", "0.5"), ("[1,-3]", "1--3"), ("[1,3]", "1-3"), ("1e-3", "1e-3"), ("'a b'", "a-b")],
)
def test_a_number_and_its_negative_have_two_folders(value: str, name: str) -> None:
    assert _folder_name({"model.slope": value}) == f"slope-{name}"


@pytest.mark.parametrize("content", ["", "[]", '{"swept": 1}'])
def test_a_damaged_list_of_swept_keys_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(content)
    with pytest.raises(ValueError, match=r"sweep\.json is damaged"):
        read_swept_keys(tmp_path)
