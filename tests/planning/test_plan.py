import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from deblurlab.planning import chips, compiler, table
from deblurlab.planning.compiler import Cost
from deblurlab.planning.estimate import Estimate
from tests.backends.xla.test_training import deblurlab
from tests.conftest import encode, write_parquet

# Millions of estimated cycles per step and core, measured with libtpu 0.0.52: `plan` may exceed them by 5 %.
CYCLES = {"unet16": 1.60, "resnet16": 5.51, "rednet30": 12.57}


@pytest.mark.parametrize(
    ("name", "compiler_name"),
    [("v2-8", "v2:2x2"), ("v3-32", "v3:4x4"), ("v4-8", "v4:2x2x1"), ("v5e-8", "v5e:2x4"), ("v6e-256", "v6e:16x16")],
)
def test_google_s_names_become_the_compiler_s(name: str, compiler_name: str) -> None:
    assert chips.topology(name).compiler_name == compiler_name


@pytest.mark.parametrize("name", ["v9-8", "v5e", "v5e-12", "v5e-512", "v2-4"])
def test_a_slice_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"topology={name}"):
        chips.topology(name)


def test_peaks_are_google_s() -> None:
    """TFLOP/s per chip: 46, 123, 275, 197, 918."""
    peaks = {name: chip.peak * chip.cores / 1e12 for name, chip in chips.CHIPS.items()}
    assert peaks == pytest.approx({"v2": 46, "v3": 123, "v4": 275, "v5e": 197, "v6e": 918}, rel=0.01)


def test_an_estimate_by_hand() -> None:
    cost = Cost(flops=99e9, hbm_bytes=700e6, memory_bytes=1e9, cycles=2_800_000, all_reduces=3, all_reduce_bytes=124e6)
    step = Estimate(topology=chips.topology("v2-8"), cost=cost, batch=32, useful_flops=22.9376e9)
    assert step.core_seconds == pytest.approx(4e-3)  # 2.8 million cycles at 700 MHz
    assert step.wire_seconds == pytest.approx(2 * 7 / 8 * 1e-3 + 3 * 4e-6)  # 124 MB at 124 GB/s; 2x2 chips: 4 hops
    assert step.bound_seconds == pytest.approx(2e-3)  # memory; the useful FLOP take 1 ms
    assert step.images_per_second == pytest.approx(256 / (4e-3 + 1.75e-3 + 12e-6))


def test_the_table_in_a_pipe_has_one_line_per_row_and_whole_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    cost = Cost(flops=1e12, hbm_bytes=1e9, memory_bytes=8e9, cycles=98_765_432, all_reduces=77, all_reduce_bytes=1e6)
    slices = ("v5e-4", "v5e-16", "v5e-64", "v5e-256")
    steps = [Estimate(topology=chips.topology(one), cost=cost, batch=256, useful_flops=1e12) for one in slices]
    table.show(steps, epochs=100, images=50_000)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "estimated cycles, millions" + 4 * " 98.77" in lines
    assert "bound by useful FLOP/s or HBM, ms" + 4 * f" {1e3 * steps[0].bound_seconds:.2f}" in lines


def test_without_the_compiler_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'deblurlab\[plan\]'"):
        compiler.require_compiler()


@pytest.mark.slow
@pytest.mark.parametrize("model", CYCLES)
def test_the_step_costs_no_more_cycles_than_it_did(model: str, tmp_path: Path) -> None:
    pytest.importorskip("libtpu", reason="the extra `plan` is not installed")
    pictures = np.random.default_rng(0).integers(0, 256, (300, 32, 32, 3), dtype=np.uint8)
    for split in ("train", "test"):
        write_parquet(tmp_path / f"{split}.parquet", [encode(picture) for picture in pictures])
    file = tmp_path / "plan.json"
    done = deblurlab("plan", f"model={model}", f"data.root={tmp_path}", f"json={file}")
    assert done.returncode == 0, done.stderr
    plan = json.loads(file.read_text())
    assert (plan["topology"], plan["cores"], plan["batch_per_core"]) == ("v2-8", 8, 32)
    assert plan["per_core"]["estimated_cycles"] < 1.05 * CYCLES[model] * 1e6
    assert plan["per_core"]["flops"] > plan["per_core"]["useful_flops"] > 1e9
    assert plan["per_core"]["bound_seconds"] < plan["per_core"]["estimated_seconds"]
