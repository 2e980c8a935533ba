"""Each function of PyTorch computes on folded features what it computes on the features themselves."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets.folding import networks  # noqa: F401  # the folded forms of functions register themselves
from deblurlab.nets.folding.folded import Folded, fold, unfold

Function = Callable[[Any], Any]
LAYOUTS = [(1, False), (2, False), (2, True), (4, False), (4, True), (8, False)]
CHANNELS = 6


def in_blocks(images: Tensor, rows: int, shifted: bool) -> Folded:
    """Folded images. What shifted blocks hold outside of the image is noise: nothing may depend on it."""
    if not shifted:
        return fold(images, rows)
    above, below = torch.full_like(images[:, :, :1], 7.0), torch.full_like(images[:, :, : rows - 1], -5.0)
    blocks = fold(torch.cat((above, images, below), dim=2), rows).blocks
    return Folded(blocks, rows, parts=(images.shape[1],), shifted=True)


def whole(features: Any) -> Tensor:
    return unfold(features) if isinstance(features, Folded) else features


def agree(function: Function, rows: int, shifted: bool, *, stays_folded: bool = True) -> None:
    """The same results, gradients and, of modules, statistics; and whether the result is folded is as expected."""
    torch.manual_seed(0)
    images = torch.randn(2, CHANNELS, 16, 6, dtype=torch.double)
    found = []
    for folded in (False, True):
        own = copy.deepcopy(function)
        points = images.clone().requires_grad_()
        result = own(in_blocks(points, rows, shifted) if folded else points)
        assert isinstance(result, Folded) == (folded and stays_folded)
        assert result.shape == whole(result).shape
        values = whole(result)
        values.backward(torch.sin(torch.arange(values.numel()).double()).reshape(values.shape))
        weights = [parameter.grad for parameter in own.parameters()] if isinstance(own, nn.Module) else []
        statistics = list(own.buffers()) if isinstance(own, nn.Module) else []
        found.append([values, points.grad, *weights, *statistics])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (5, 1), (7, 1), (1, 2), (3, 2), ((3, 1), (2, 1))])
def test_convolutions(kernel: Any, stride: Any, bias: bool, layout: tuple[int, bool]) -> None:
    rows, shifted = layout
    padding = kernel // 2 if isinstance(kernel, int) else tuple(side // 2 for side in kernel)
    conv = nn.Conv2d(CHANNELS, 5, kernel, stride=stride, padding=padding, bias=bias)
    agree(conv.double(), rows, shifted)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 1},
        {"kernel_size": 3, "padding": 1, "bias": False},
        {"kernel_size": 5, "padding": 2},
        {"kernel_size": 2, "stride": 2},
        {"kernel_size": 1, "stride": 2, "output_padding": 1},
        {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
        {"kernel_size": 4, "stride": 2, "padding": 1},
        {"kernel_size": (3, 1), "padding": (1, 0)},
    ],
)
@pytest.mark.parametrize("channels", [5, 100])
def test_transposed_convolutions(channels: int, options: dict[str, Any], layout: tuple[int, bool]) -> None:
    agree(nn.ConvTranspose2d(CHANNELS, channels, **options).double(), *layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("activation", [nn.Identity(), nn.ELU(), nn.ReLU(), nn.ELU(alpha=0.5), nn.Tanh()])
def test_batch_norm_of_an_activation(activation: nn.Module, training: bool, layout: tuple[int, bool]) -> None:
    norm = nn.BatchNorm2d(CHANNELS, eps=1e-3, momentum=0.2).double()
    nn.init.uniform_(norm.weight)
    nn.init.uniform_(norm.bias)
    for statistic in (norm.running_mean, norm.running_var):
        nn.init.uniform_(statistic, 1, 2)
    agree(nn.Sequential(activation, norm).train(training), *layout)


FUNCTIONS: dict[str, Function] = {
    "activations": lambda x: F.elu(torch.tanh(2 * x - 1) / 3 + 1),
    "relu": lambda x: F.relu(x - 0.5),
    "a sum of both layouts": lambda x: x + F.conv2d(x, torch.ones(CHANNELS, CHANNELS, 3, 3).double(), padding=1),
    "a sum of features that moved": lambda x: (
        x * 0.5 + F.relu(F.conv2d(x, torch.ones(CHANNELS, CHANNELS, 3, 3).double(), padding=1))
    ),
    "concatenation": lambda x: torch.cat((x, 2 * x), dim=1),
    "concatenation of both layouts": lambda x: torch.cat(
        (F.relu(F.conv2d(x, torch.ones(2, CHANNELS, 3, 3).double(), padding=1)), x), dim=1
    ),
    "a convolution of a concatenation": lambda x: F.conv2d(
        torch.cat((F.conv2d(x, torch.ones(2, CHANNELS, 3, 3).double(), padding=1), F.relu(x)), dim=1),
        torch.linspace(-1, 1, 4 * (CHANNELS + 2) * 9).double().reshape(4, CHANNELS + 2, 3, 3),
        padding=1,
    ),
    "max pooling": lambda x: F.max_pool2d(x, 2),
    "max pooling of equal values": lambda x: F.max_pool2d(F.relu(x - 1), 2),
    "two convolutions without an activation": lambda x: F.conv2d(
        F.conv2d(x, torch.ones(CHANNELS, CHANNELS, 3, 3).double(), torch.ones(CHANNELS).double(), padding=1),
        torch.linspace(-1, 1, CHANNELS * CHANNELS * 9).double().reshape(CHANNELS, CHANNELS, 3, 3),
        padding=1,
    ),
}
UNFOLDING: dict[str, Function] = {
    "average pooling": lambda x: F.avg_pool2d(x, 2),
    "a sum with a Tensor": lambda x: x + torch.ones(CHANNELS, 1, 1).double(),
    "a Tensor's sum": lambda x: torch.ones(CHANNELS, 1, 1).double() + x,
    "a sum of other channels": lambda x: x + F.conv2d(x, torch.ones(1, CHANNELS, 1, 1).double()),
    "max pooling by three": lambda x: F.max_pool2d(x, 3),
    "max pooling that overlaps": lambda x: F.max_pool2d(x, 2, 1),
    "pooling of a concatenation": lambda x: F.max_pool2d(torch.cat((x, x), dim=1), 2),
    "concatenation of columns": lambda x: torch.cat((x, x), dim=3),
    "concatenation with a Tensor": lambda x: torch.cat((x, torch.ones(2, 1, 16, 6).double()), dim=1),
    "a mean": lambda x: torch.mean(x, dim=(2, 3), keepdim=True),
    "named arguments": lambda x: F.conv2d(input=x, weight=torch.ones(1, CHANNELS, 1, 1).double()),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_on_folded_rows(name: str, layout: tuple[int, bool]) -> None:
    agree(FUNCTIONS[name], *layout)


@pytest.mark.parametrize("layout", LAYOUTS[1:])
@pytest.mark.parametrize("name", UNFOLDING)
def test_functions_that_unfold(name: str, layout: tuple[int, bool]) -> None:
    agree(UNFOLDING[name], *layout, stays_folded=False)


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv2d(CHANNELS, 4, 3),
        nn.Conv2d(CHANNELS, 4, 3, padding=2, dilation=2),
        nn.Conv2d(CHANNELS, 4, 3, padding=1, groups=2),
        nn.Conv2d(CHANNELS, 4, 3, padding="same"),
        nn.Conv2d(CHANNELS, 4, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(CHANNELS, 4, 3, stride=3, padding=1),
        nn.ConvTranspose2d(CHANNELS, 4, 3),
        nn.ConvTranspose2d(CHANNELS, 4, 3, stride=3),
        nn.BatchNorm2d(CHANNELS, affine=False),
        nn.BatchNorm2d(CHANNELS, track_running_stats=False),
        nn.PReLU(),
        nn.Upsample(scale_factor=2),
        nn.LeakyReLU(),
    ],
    ids=str,
)
def test_modules_that_unfold(module: nn.Module) -> None:
    for rows, shifted in LAYOUTS[1:]:
        agree(module.double(), rows, shifted, stays_folded=False)
