import re
from typing import Any

import pytest

from deblurlab.checks import require


@pytest.mark.parametrize(
    ("value", "bounds"),
    [(1, {"at_least": 1}), (100, {"at_least": 1, "at_most": 100}), (-3, {}), (0, {"at_most": 0})],
)
def test_whole_numbers_in_their_range_pass(value: int, bounds: dict[str, int]) -> None:
    require.whole_number("data.workers", value, **bounds)


@pytest.mark.parametrize(
    ("value", "options", "message"),
    [
        (0, {"at_least": 1}, "data.workers must be a whole number from 1, got 0."),
        (101, {"at_least": 1, "at_most": 100}, "data.workers must be a whole number from 1 to 100, got 101."),
        (2.0, {"of": "pixels"}, "data.workers must be a whole number of pixels, got 2.0."),
        ("abc", {}, "data.workers must be a whole number, got abc."),
        (True, {"at_least": 1}, "data.workers must be a whole number from 1, got True."),
        (None, {"at_most": 3}, "data.workers must be a whole number to 3, got None."),
    ],
)
def test_other_values_are_refused_with_what_they_may_be(value: object, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        require.whole_number("data.workers", value, **options)


def test_one_of_its_choices_passes_and_others_are_refused() -> None:
    choices = ("gaussian", "shake", "both")
    for choice in choices:
        require.one_of("data.blur", choice, choices)
    with pytest.raises(ValueError, match=r"^data\.blur must be gaussian, shake or both, got box\.$"):
        require.one_of("data.blur", "box", choices)
    with pytest.raises(ValueError, match=r"^data\.blur must be raise or skip, got None\.$"):
        require.one_of("data.blur", None, ("raise", "skip"))


def test_a_number_of_workers_that_would_fill_the_memory_is_refused() -> None:
    require.workers("data.workers", 0, at_least=0)
    require.workers("data.workers", 1024, at_least=1)
    with pytest.raises(ValueError, match=r"^data\.workers must be a whole number from 1 to 1024, got 1025\.$"):
        require.workers("data.workers", 1025, at_least=1)
