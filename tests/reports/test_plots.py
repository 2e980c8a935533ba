"""The report's plots: curves, gains, and the estimated blur."""

from pathlib import Path

import numpy as np
import pytest

from deblurlab.reports import plots
from deblurlab.reports.groups import group_runs
from deblurlab.reports.reported_run import find_runs
from tests.reports.made_up import grouped, made_up


def test_curves_draw_the_mean_of_seeds(tmp_path: Path) -> None:
    made_up(tmp_path / "a", ssim=0.8, seed=1)
    made_up(tmp_path / "b", ssim=0.9, seed=3)
    figure = plots.curves(grouped(tmp_path))
    assert figure is not None
    (line,) = figure.axes[0].get_lines()
    np.testing.assert_allclose(line.get_xydata(), [[1, 0.7], [2, 0.75]])


def test_an_epoch_without_a_number_is_left_out_of_the_curves(tmp_path: Path) -> None:
    history = made_up(tmp_path / "a", ssim=0.8) / "metrics.csv"
    history.write_text(history.read_text().replace("0.75,22", "nan,nan"))
    figure = plots.curves(grouped(tmp_path))
    assert figure is not None
    (line,) = figure.axes[0].get_lines()
    np.testing.assert_allclose(line.get_xydata(), [[1, 0.5]])


def test_long_labels_of_a_legend_stay_in_the_figure(tmp_path: Path) -> None:
    for name in ("a", "b"):
        made_up(tmp_path / name, ssim=0.8, data_name="folder", data={"antialias": name * 90})
    figure = plots.curves(next(iter(group_runs(find_runs([str(tmp_path)])).values())))
    assert figure is not None
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width


def test_dollar_signs_in_a_label_make_no_formula(tmp_path: Path) -> None:
    for number, kind in enumerate(("$5_$", "plain")):
        made_up(tmp_path / str(number), ssim=0.8, model_keys={"network": {"kind": kind}})
    figure = plots.curves(grouped(tmp_path / "0", tmp_path / "1"))
    assert figure is not None
    figure.savefig(tmp_path / "curves.svg")
    assert "kind $5_$" in (tmp_path / "curves.svg").read_text()


def test_gains_leave_out_infinite_psnr() -> None:
    scores = {"restored_psnr": [30.0, np.inf, 20.0], "blurred_psnr": [25.0, np.inf, 21.0]}
    np.testing.assert_allclose(plots._gain(scores, "psnr"), [5.0, -1.0])


@pytest.mark.parametrize("gains", [[0.1], [0.1, 0.2], [*np.linspace(0, 0.1, 999).tolist(), 0.5]])
def test_every_image_is_in_the_histogram_of_gains(gains: list[float], tmp_path: Path) -> None:
    """The two images of a small test set were left out as the extreme ones."""
    made_up(tmp_path / "a", ssim=0.8)
    lines = [f"{number},{0.4 + gain},0.4,{20 + gain},20.0\n" for number, gain in enumerate(gains)]
    head = "image,restored_ssim,blurred_ssim,restored_psnr,blurred_psnr\n"
    (tmp_path / "a/per_image.csv").write_text(head + "".join(lines))
    figure = plots.gains(grouped(tmp_path))
    assert figure is not None
    for axes in figure.axes:
        (outline,) = axes.patches
        heights = outline.get_xy()[:, 1] / 2  # each bin has two corners of its height
        assert heights.sum() == pytest.approx(100)


def test_gains_without_a_finite_psnr_leave_that_figure_empty(tmp_path: Path) -> None:
    made_up(tmp_path / "a", ssim=0.8)
    (tmp_path / "a/per_image.csv").write_text(
        "image,restored_ssim,blurred_ssim,restored_psnr,blurred_psnr\n0,0.9,0.8,20.0,inf\n"
    )
    figure = plots.gains(grouped(tmp_path))
    assert figure is not None
    assert [len(axes.patches) for axes in figure.axes] == [1, 0]


def test_the_estimated_blur_is_drawn_where_a_network_estimates_it(tmp_path: Path) -> None:
    made_up(tmp_path / "a", ssim=0.8).joinpath("per_image.csv").write_text(
        "image,sigma,restored_ssim,blurred_ssim,estimated_sigma\n0,1.0,0.9,0.8,1.1\n1,2.0,0.9,0.8,1.7\n"
    )
    figure = plots.estimated_against_true_sigma(grouped(tmp_path / "a"))
    assert figure is not None
    points, _ = figure.axes[0].get_lines()
    np.testing.assert_allclose(points.get_xydata(), [[1.0, 1.1], [2.0, 1.7]])
    assert "off by 0.200 on average" in points.get_label()
    made_up(tmp_path / "b", ssim=0.8)
    assert plots.estimated_against_true_sigma(grouped(tmp_path / "b")) is None
