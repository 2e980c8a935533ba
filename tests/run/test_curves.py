"""The curves of a run say what they show, and where the blurred images stand."""

import numpy as np
import torch

from deblurlab.run.figures import curves, frame_panel, panel, pixels

ROWS = [{"epoch": 1.0, "train/loss": 1e-3, "val/loss": 2e-3, "val/ssim": 0.7, "val/psnr": 20.0}]


def test_curves_have_a_title_and_the_blurred_images_as_a_line() -> None:
    figure = curves(ROWS, title="cifar10_TinyNet/first", blurred={"loss": 3e-3, "ssim": 0.6, "psnr": float("inf")})
    assert figure.get_suptitle() == "cifar10_TinyNet/first"
    titles = {axes.get_title(): axes for axes in figure.axes}
    assert titles.keys() == {"Loss", "validation SSIM", "validation PSNR [dB]"}
    dashed = {
        title: [line.get_ydata()[0] for line in axes.get_lines() if line.get_label() == "blurred"]
        for title, axes in titles.items()
    }
    assert dashed == {"Loss": [3e-3], "validation SSIM": [0.6], "validation PSNR [dB]": []}


def test_the_axis_of_a_loss_is_logarithmic_only_if_the_loss_is_positive() -> None:
    (loss, *_) = curves(ROWS).axes
    assert loss.get_yscale() == "log"
    (loss, *_) = curves([{**ROWS[0], "train/loss": -20.0}]).axes  # in dB
    assert loss.get_yscale() == "linear"


def test_dollar_signs_in_names_make_no_formula() -> None:
    """Matplotlib cannot read ``$5_$`` as a formula. The signs are drawn as they are."""
    images, name = torch.rand(1, 3, 64, 64), "costs_$5_$6"
    for draw in (
        lambda title: curves(ROWS, title=title),
        lambda title: panel({title: images, "Sharp": images}),
        lambda title: frame_panel({title: images, "Sharp": images}),
    ):
        assert not np.array_equal(pixels(draw(name)), pixels(draw(name.replace("$", ""))))
