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
        "infinite_largest": Largest,
        "mean": lambda restored, sharp: (restored - sharp).abs().mean(),
        "number": lambda restored, sharp: 0.5,
        "weighted": lambda restored, sharp: ((restored - sharp) * torch.full((8, 8), 1 / 64)).sum((1, 2, 3)),
        "noisy": lambda restored, sharp: torch.rand(len(restored)),
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
        (["mine.ssim"], r"metrics=\[mine\.ssim\]: a test already has a score ssim"),
        (
            ["mine.largest", "mine.other.largest"],
            r"metrics=\[mine\.other\.largest\]: a test already has a score largest",
        ),
        (["mine.infinite_largest", "mine.largest"], r"metrics=\[mine\.largest\]: .* has a score infinite_largest"),
        (["mine.pi"], r"metrics=\[mine\.pi\] is 3\.14, neither a function nor a module"),
        (["vmaf"], r"metrics=\[vmaf\]: choose from lpips, dists, aligned_psnr, aligned_ssim, or name a metric"),
        (["mine.none"], r"metrics=\[mine\.none\] cannot be imported"),
    ],
)
def test_what_is_no_score_is_refused(mine: None, names: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        further_metrics(names)


@pytest.mark.parametrize(("name", "got"), [("mine.mean", r"\(\)"), ("mine.number", "float")])
def test_one_value_for_a_batch_is_refused_before_any_test(mine: None, name: str, got: str) -> None:
    with pytest.raises(ValueError, match=rf"one value per image, a tensor of \(2,\), got {got}"):
        further_metrics([name])


def test_a_score_that_is_made_for_images_of_one_size_is_taken_with_a_warning(
    mine: None, caplog: pytest.LogCaptureFixture
) -> None:
    (metric,) = further_metrics(["mine.weighted"]).values()
    assert "metrics=[mine.weighted] failed on two images of 256x256 pixels" in caplog.text
    assert metric(torch.ones(2, 3, 8, 8), torch.zeros(2, 3, 8, 8)).tolist() == [3, 3]


def test_the_trial_of_a_score_draws_none_of_the_random_numbers_of_a_training(mine: None) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    further_metrics(["mine.noisy"])
    assert torch.equal(torch.rand(3), expected)
