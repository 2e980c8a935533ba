"""Which values an annotation allows, and what a user is told otherwise."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from torch import Tensor, nn

from deblurlab.app.kinds import described, fits
from deblurlab.data import Layout

BUILT = {"_target_": "torch.nn.Identity"}


@pytest.mark.parametrize(
    ("kind", "allowed", "refused"),
    [
        (int, [0, -1, 2**62], [1.0, "1", True, None, [1], 10**23, {"a": 1}]),
        (float, [0, 1.5, -1, float("nan")], ["abc", True, None, [1.0], 10**23]),
        (bool, [True, False], [0, 1, "no", "false", None]),
        (str, ["", "5"], [5, 0.5, True, None, ["a"]]),
        (int | None, [None, 3], ["null", 0.5]),
        (int | float, [1, 0.5], ["abc", None]),
        (Literal["raise", "skip"], ["skip"], ["SKIP", None, 1]),
        (Literal[16, "16"], [16, "16"], [32, True, 16.5]),
        (Sequence[int], [[], [4, 8]], [4, "48", [4, 0.5], ["a"], None]),
        (tuple[float, float], [[0, 1.5]], [[0], [0, 1, 2], ["a", 1], 3]),
        (tuple[int, ...], [[], [1, 2]], [["a"]]),
        (list, [["a", 1]], ["a", {"a": 1}]),
        (Mapping | None, [{"a": 1}, None], [[], "a"]),
        (dict[str, int], [{"hours": 1}], ["01:00"]),
        (str | Path | None, ["here", None], [3, ["here"]]),
        (float | Tensor, [0.1, BUILT], ["abc", None]),
        (nn.Module, [BUILT], [3, "abc", {"blocks": 3}, None]),
        (Layout, [BUILT], [3, {"title": "mine"}]),
        (datetime.timedelta | None, [BUILT, None], [3, "01:00"]),
        (Callable[[Iterator[Tensor]], Any] | None, [BUILT, None], ["abc", 3, {"gamma": 0.5}]),
        (Any, [1, "a", None, [], BUILT], []),
        ("Unresolved", [1, "a", None, [], BUILT], []),
    ],
)
def test_what_fits(kind: Any, allowed: list[Any], refused: list[Any]) -> None:
    assert [value for value in allowed if not fits(value, kind)] == []
    assert [value for value in refused if fits(value, kind)] == []


def test_what_is_built_fits_every_kind() -> None:
    assert all(fits(BUILT, kind) for kind in (int, str, Sequence[int], nn.Module))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (int | float | None, "a number or null"),
        (float | Tensor, "a number"),
        (nn.Module | None, "keys with a _target_ or null"),
        (Literal["a", "b"], "a or b"),
        (tuple[float, float], "a list of 2, each a number"),
        (Sequence[int], "a list, each item a whole number"),
        (str | Path, "text"),
        (str | dict[str, int], "text or a mapping"),
    ],
)
def test_how_a_kind_is_described(kind: Any, words: str) -> None:
    assert described(kind) == words
