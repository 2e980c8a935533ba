"""The table of scores: what derives from a row, and that commands may read it before they need torch."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from deblurlab.losses import LogCosh
from deblurlab.metrics import score
from deblurlab.metrics.scores import SCORES, Score, best_is
from deblurlab.tasks.restoration import Restoration

ROWS = {one.name: one for one in SCORES}


def test_it_is_read_without_torch() -> None:
    code = "import sys, deblurlab.metrics.scores, deblurlab.run.results; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_names_are_unique() -> None:
    assert len(ROWS) == len(SCORES)


@pytest.mark.parametrize("row", SCORES, ids=ROWS)
def test_the_best_value_is_that_of_equal_images(row: Score) -> None:
    """Which way is better, in the table, is true of the function that the row names."""
    torch.manual_seed(0)
    sharp = torch.rand(1, 3, 16, 16)
    equal, near, far = (score(sharp + error, sharp, LogCosh())[row.name] for error in (0, 1e-2, 1e-1))
    assert equal.shape == (1,)
    assert equal > near > far if row.best == "max" else equal < near < far
    assert bool(equal.isinf()) == row.may_be_infinite


@pytest.mark.parametrize(
    ("name", "value", "heading", "in_table", "axis_label", "plain"),
    [
        ("loss", 9.794e-4, "Loss [1e-4]", "9.794", "Loss", "9.794e-04"),
        ("ssim", 0.90341, "SSIM", "0.9034", "SSIM", "0.9034"),
        ("psnr", 29.091, "PSNR [dB]", "29.09", "PSNR [dB]", "29.09"),
        ("loss", -22.434, "Loss [1e-4]", "-22.434 [1]", "Loss", "-2.243e+01"),  # a loss in dB
        ("mae", 0.02888, "MAE [1e-2]", "2.888", "MAE", "2.888e-02"),
    ],
)
def test_how_values_are_shown(
    name: str, value: float, heading: str, in_table: str, axis_label: str, plain: str
) -> None:
    row = ROWS[name]
    assert (row.heading, row.in_table(value), row.axis_label, row.plain(value)) == (
        heading,
        in_table,
        axis_label,
        plain,
    )


def test_which_way_is_better() -> None:
    assert (best_is("val/psnr"), best_is("val/mae")) == ("max", "min")
    with pytest.raises(ValueError, match="monitor=val/images: choose one of val/loss, val/ssim"):
        best_is("val/images")


def test_checkpoints_hold_no_sums_of_scores() -> None:
    task = Restoration(nn.Conv2d(3, 3, 1), LogCosh())
    assert list(task.state_dict()) == ["network.weight", "network.bias"]
