"""The count of what a training step needs, by closed forms."""

from pathlib import Path

import pytest
import torch

from deblurlab.app import build
from deblurlab.app.useful_flops import FlopMode, useful_flops
from tests.composing import configuration


@pytest.mark.parametrize("trainer", ["cpu", "xla_cpu"])
def test_a_convolution_is_counted_forward_and_for_its_kernel(trainer: str, tmp_path: Path) -> None:
    """Two images of 32x32 and a kernel of 3x3, of which 94 taps of 96 lie inside the image, down and across.

    Nobody asks for the gradient of the blurred images.
    """
    network = "{_target_: torch.nn.Conv2d, in_channels: 3, out_channels: 3, kernel_size: 3, padding: 1}"
    cfg = configuration("train", f"run={tmp_path}", f"model.network={network}", f"trainer={trainer}", "logger=none")
    cfg.data.batch_size, cfg.callbacks = 2, None
    data = build.data(cfg)
    assert useful_flops(cfg, data) == 2 * (2 * 2 * 94 * 94 * 3 * 3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("transposed", [False, True])
def test_padding_is_left_out(transposed: bool) -> None:
    """With a kernel of ones, and ones for the image, a convolution's results are the numbers of its products."""
    layer = (torch.nn.ConvTranspose2d if transposed else torch.nn.Conv2d)(
        1, 1, (3, 5), stride=2, padding=(1, 2), bias=False
    )
    torch.nn.init.ones_(layer.weight)
    counting = FlopMode()
    with torch.no_grad(), counting:
        result = layer(torch.ones(1, 1, 9, 8))
    assert counting.flops == 2 * int(result.sum())


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_both_gradients_cost_what_the_result_costs(groups: int, transposed: bool) -> None:
    """Each product of a kernel and a value has one for the gradient of either."""
    layer = (torch.nn.ConvTranspose2d if transposed else torch.nn.Conv2d)(4, 8, 3, stride=2, padding=1, groups=groups)
    forward, both = FlopMode(), FlopMode()
    image = torch.rand(2, 4, 9, 8, requires_grad=True)
    with forward:
        result = layer(image)
    with both:
        result.sum().backward()
    assert both.flops == 2 * forward.flops
