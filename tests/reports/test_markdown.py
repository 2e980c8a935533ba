"""What report.md shows of names that hold the signs of Markdown."""

import pytest

from deblurlab.reports.page import plain_markdown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cifar10_unet16", "cifar10_unet16"),
        ("0.9001 ± 0.0012", "0.9001 ± 0.0012"),
        ("a|b", r"a\|b"),
        ("*loud* `code`", r"\*loud\* \`code\`"),
        ("<img src=x>", r"\<img src=x\>"),
        ("[here](http://elsewhere)", r"\[here\](http://elsewhere)"),
        ("two\n# lines", "two # lines"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_names_are_shown_as_they_are(text: str, shown: str) -> None:
    assert plain_markdown(text) == shown
