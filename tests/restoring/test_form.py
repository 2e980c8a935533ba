"""Which form is chosen: near float32 first, then the fastest."""

from typing import Any

import pytest
import torch
from torch import Tensor

from deblurlab.restoring import form
from deblurlab.restoring.form import Form, candidates, fastest

PLAIN, LAST, HALF = Form(), Form(channels_last=True), Form(bfloat16=True, channels_last=True)


def test_what_runs_is_in_the_form_that_it_says() -> None:
    layer = torch.nn.Conv2d(3, 4, 3)
    for one in (PLAIN, LAST, HALF):
        result = one.run(layer, torch.rand(1, 3, 8, 8))
        assert (result.dtype == torch.bfloat16) == one.bfloat16
        assert result.is_contiguous(memory_format=torch.channels_last) == one.channels_last


@pytest.mark.parametrize(
    ("costs", "error", "chosen"),
    [
        ({PLAIN: 3.0, LAST: 2.0, HALF: 1.0}, 0.3 / 255, HALF),
        ({PLAIN: 3.0, LAST: 2.0, HALF: 1.0}, 0.5 / 255, LAST),
        ({PLAIN: 1.01, LAST: 1.0, HALF: 1.0}, 0.0, PLAIN),  # that little is noise
        ({PLAIN: 1.0, LAST: 2.0, HALF: 2.0}, 0.0, PLAIN),
    ],
)
def test_the_fastest_near_float32(
    costs: dict[Form, float], error: float, chosen: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each form takes its cost on a clock of the test's own; bfloat16 is off by ``error``."""
    now = 0.0

    def run(self: Form, network: Any, images: Tensor) -> Tensor:
        nonlocal now
        now += costs[self]
        return images + (error if self.bfloat16 else 0)

    monkeypatch.setattr(Form, "run", run)
    monkeypatch.setattr(form, "_now", lambda device: now)
    assert fastest(lambda images: images, torch.full((1, 3, 8, 8), 0.5), list(costs)) == chosen


def test_precision_says_which_forms_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "fast_precision", lambda device_type: "bf16-mixed")
    assert candidates("auto", "cpu") == [PLAIN, LAST, HALF]
    assert candidates("32-true", "cpu") == [PLAIN, LAST]
    assert all(one.bfloat16 for one in candidates("bf16-mixed", "cpu"))
    monkeypatch.setattr(form, "fast_precision", lambda device_type: "32-true")
    assert candidates("auto", "cpu") == [PLAIN, LAST]
    with pytest.raises(ValueError, match="precision must be auto, 32-true or bf16-mixed, got fast"):
        candidates("fast", "cpu")  # type: ignore[arg-type]
