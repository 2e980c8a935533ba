"""Short forms of a command's own keys."""

import pytest

from deblurlab.app.command_keys import with_lists


@pytest.mark.parametrize(
    ("command", "given", "expected"),
    [
        ("prepare", ["frames=7,9,11"], ["frames=[7,9,11]"]),
        ("prepare", ["frames=7"], ["frames=[7]"]),
        ("prepare", ["frames=[7,9]", "root=a,b.mp4", "check=true", "--help"], None),
        ("evaluate", ["metrics=lpips,dists"], ["metrics=[lpips,dists]"]),
        ("evaluate", ["metrics=${other}"], None),
        ("evaluate", ["-m", "metrics=lpips,dists"], None),
        ("train", ["frames=7,9"], None),
    ],
)
def test_commas_make_a_list_where_a_key_takes_lists_alone(
    command: str, given: list[str], expected: list[str] | None
) -> None:
    assert with_lists(given, command) == (given if expected is None else expected)
