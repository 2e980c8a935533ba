"""The table of what runs cost."""

import json
from pathlib import Path

import pytest

from deblurlab.reports.cost_table import cost_table
from deblurlab.run.cost import Size
from tests.reports.made_up import grouped, made_up


def test_costs(tmp_path: Path) -> None:
    made_up(tmp_path / "run", ssim=0.8)
    groups = grouped(tmp_path)
    sizes = {"UNet16": Size(parameters=482_067, flops=73_000_000, pixels=1024)}
    (section,) = cost_table(groups, sizes, dollars_per_hour=3600.0).sections
    # epochs of 80 images in 2 s and in 4 s: the median epoch of two is the faster; 6 s at a dollar a second
    assert [cell.text for cell in section[0].cells] == ["482,067", "35.6", "0.073", "40", "0.00", "$6.00"]
    assert section[0].note == "on cpu"  # trainer.accelerator, as there is no record of the start
    (tmp_path / "run/provenance.json").write_text(json.dumps([{"machine": {"device": "NVIDIA A100"}}]))
    (section,) = cost_table(groups, {}, dollars_per_hour=None).sections
    assert (section[0].cells[0].text, section[0].note) == ("no checkpoint", "on NVIDIA A100")
    (tmp_path / "run/checkpoints").mkdir()
    (tmp_path / "run/checkpoints/best.ckpt").touch()  # it cannot be read, or needs trust=
    (section,) = cost_table(groups, {}, dollars_per_hour=None).sections
    assert (section[0].cells[0].text, section[0].cells[0].mark) == ("not measured", "gap")


@pytest.mark.parametrize(
    ("history", "speed", "hours"),
    [
        ("epoch,val/ssim\n1,0.5\n2,0.6\n", "not recorded", "not recorded"),
        ("epoch,seconds,val/ssim\n1,1800,0.5\n2,1800,0.6\n", "not recorded", "1.00"),
        # the second epoch, of 10 batches of 8 images; an earlier version did not count the batches of the first
        ("epoch,seconds,batches\n1,1800,\n2,1800,10\n3,4,20\n", "20", "1.00"),
        ("epoch,seconds,batches\n1,,10\n2,4,20\n", "20", "not recorded"),
        ("epoch,batches,seconds\n", "no epoch yet", "0.00"),
        ("", "no epoch yet", "0.00"),
    ],
)
def test_costs_that_the_history_does_not_tell_are_gaps(history: str, speed: str, hours: str, tmp_path: Path) -> None:
    (made_up(tmp_path / "run", ssim=0.8) / "metrics.csv").write_text(history)
    (section,) = cost_table(grouped(tmp_path / "run"), {}, dollars_per_hour=1.0).sections
    price = "" if hours == "not recorded" else f"${hours}"
    assert [cell.text for cell in section[0].cells[3:]] == [speed, hours, price]
