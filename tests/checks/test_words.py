"""Numbers and names in sentences."""

import pytest

from deblurlab.checks.words import first_of, three_digits


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0.21604, "0.216"),
        (35.42, "35.4"),
        (999.4, "999"),
        (999.6, "1,000"),
        (1076.7, "1,080"),
        (17_341.0, "17,300"),
        (2.5e6, "2,500,000"),
        (1e-5, "1e-05"),
    ],
)
def test_numbers_are_rounded_to_three_digits_and_large_ones_are_written_out(number: float, words: str) -> None:
    assert three_digits(number) == words


@pytest.mark.parametrize(("most", "words"), [(4, "a, b, c"), (3, "a, b, c"), (2, "a, b, ...")])
def test_names_beyond_those_that_are_shown_are_dots(most: int, words: str) -> None:
    assert first_of(["a", "b", "c"], most) == words
