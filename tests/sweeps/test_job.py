"""What a sweep's job is told."""

import pytest

from deblurlab.app.invocation import quoted
from deblurlab.sweeps.swept_keys import parse_overrides


@pytest.mark.parametrize(
    "folder", ["it's (1)", "a b", "x\\y", "e\\", "q'\\'z", "a\\'b", 'dq"x', "$x", "é, [1]", "{a: b}"]
)
def test_a_sweeps_folder_may_have_any_name(folder: str) -> None:
    """Hydra reads back what the job is given."""
    assert parse_overrides([f"run={quoted(folder)}"])[0].value() == folder
