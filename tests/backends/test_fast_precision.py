import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from deblurlab.backends import fast_precision as module
from deblurlab.backends.fast_precision import cpu_speedup, fast_precision, measured_speedup


@pytest.mark.parametrize(("capability", "precision"), [((7, 5), "32-true"), ((8, 0), "bf16-mixed")])
def test_bfloat16_is_for_ampere_and_later(
    capability: tuple[int, int], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert fast_precision("cuda") == precision


@pytest.mark.parametrize(("speedup", "precision"), [(0.08, "32-true"), (1.1, "32-true"), (1.5, "bf16-mixed")])
def test_the_cpu_is_measured(speedup: float, precision: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_CACHE", tmp_path / "precision.json")
    monkeypatch.setattr(module, "measured_speedup", lambda: speedup)
    assert fast_precision("cpu") == precision


def test_the_measurement_compares_the_fastest_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([9.0, 9.0, 2.0, 1.0, 3.0, 8.0, 5.0, 5.0])  # of float32 and bfloat16 in turn
    now = 0.0
    modes: list[bool] = []

    def ticks() -> Iterator[float]:
        nonlocal now
        while True:
            yield now
            now += next(seconds)
            yield now

    real = torch.autocast

    def autocast(*arguments: object, enabled: bool) -> object:
        modes.append(enabled)
        return real(*arguments, enabled=enabled)  # type: ignore[arg-type]

    monkeypatch.setattr(torch, "autocast", autocast)
    assert measured_speedup(ticks().__next__) == 2.0
    assert modes == [False, True] * 4


def test_it_leaves_the_random_numbers_alone_and_works_where_no_gradient_is_wanted() -> None:
    before = torch.get_rng_state()
    with torch.no_grad():
        assert measured_speedup() > 0
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("content", [None, "", "[1]", '{"another machine": 3}', '{"a": "b"}'])
def test_a_machine_is_measured_once(content: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cache = tmp_path / "deblurlab/precision.json"
    if content is not None:
        cache.parent.mkdir()
        cache.write_text(content)
    answers = iter([1.7])
    monkeypatch.setattr(module, "measured_speedup", lambda: next(answers))
    assert cpu_speedup(cache) == cpu_speedup(cache) == 1.7
    kept = json.loads(cache.read_text())
    assert kept.get("another machine", 3) == 3
    assert torch.__version__ in "".join(kept)


def test_a_cache_that_cannot_be_written_is_no_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(module, "measured_speedup", lambda: 1.7)
    assert cpu_speedup(tmp_path / "file/precision.json") == 1.7
