"""Scores of a user's own: their values, and what is said of those that cannot stand in the table of a test."""

import sys
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from deblurlab.metrics.further_metrics import further_metrics


class Largest(nn.Module):
    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        return (restored - sharp).abs().flatten(1).amax(1)


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> None:
    content: dict[str, Any] = {
        "Largest": Largest,
        "largest": lambda restored, sharp: (restored - sharp).abs().flatten(1).amax(1),
        "mean": lambda restored, sharp: (restored - sharp).abs().mean(),
        "number": lambda restored, sharp: 0.5,
        "pi": 3.14,
        "ssim": Largest,
    }
    module = ModuleType("mine")
    module.__dict__.update(content)
    monkeypatch.setitem(sys.modules, "mine", module)
    other = ModuleType("mine.other")
    other.__dict__.update(content)
    monkeypatch.setitem(sys.modules, "mine.other", other)
    module.other = other  # type: ignore[attr-defined]


def test_functions_and_modules_give_one_value_per_image(mine: None) -> None:
    restored, sharp = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    found = further_metrics(["mine.Largest", "mine.other.largest"])
    assert list(found) == ["Largest", "largest"]
    for metric in found.values():
        assert torch.equal(metric(restored, sharp), Largest()(restored, sharp))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["mine.ssim"], r"metrics=\[mine\.ssim\]: a test has a score ssim already"),
        (
            ["mine.largest", "mine.other.largest"],
            r"metrics=\[mine\.other\.largest\]: a test has a score largest already",
        ),
        (["mine.pi"], r"metrics=\[mine\.pi\] is 3\.14, neither a function nor a module"),
        (["mine.none"], r"metrics=\[mine\.none\] cannot be imported"),
    ],
)
def test_what_is_no_score_is_refused(mine: None, names: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        further_metrics(names)


@pytest.mark.parametrize(("name", "got"), [("mine.mean", r"\(\)"), ("mine.number", "float")])
def test_one_value_for_a_batch_is_refused(mine: None, name: str, got: str) -> None:
    (metric,) = further_metrics([name]).values()
    with pytest.raises(ValueError, match=rf"one value per image, a tensor of \(2,\), got {got}"):
        metric(torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8))
