"""Normalisation of parts of a batch against PyTorch's, which is called for each part, in float64."""

import copy
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.app import user_errors
from deblurlab.nets.folding import GroupedBatchNorm, replace_norms
from deblurlab.nets.folding.grouped_batch_norm import ONE_VALUE
from tests.nets.folding.test_functions import CHANNELS, LAYOUTS, in_blocks, whole

GROUPS = 3


def layer() -> nn.BatchNorm2d:
    torch.manual_seed(1)
    norm = nn.BatchNorm2d(CHANNELS, eps=1e-3, momentum=0.2).double()
    for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
        nn.init.uniform_(values, 1, 2)
    return norm


def reference(norm: nn.BatchNorm2d, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What as many devices compute, and the means of the statistics that they keep."""
    own = [copy.deepcopy(norm) for _ in range(GROUPS)]
    parts = [
        F.batch_norm(
            F.elu(part), one.running_mean, one.running_var, norm.weight, norm.bias, True, norm.momentum, norm.eps
        )
        for one, part in zip(own, images.chunk(GROUPS), strict=True)
    ]
    means, variances = (torch.stack([getattr(one, name) for one in own]) for name in ("running_mean", "running_var"))
    return torch.cat(parts), means.mean(0), variances.mean(0)


@pytest.mark.parametrize("layout", [None, *LAYOUTS])
def test_each_group_is_normalised_by_itself(layout: tuple[int, bool] | None) -> None:
    torch.manual_seed(0)
    images = torch.randn(2 * GROUPS, CHANNELS, 16, 6, dtype=torch.double)
    steepness = torch.randn_like(images)

    norm, points = layer(), images.clone().requires_grad_()
    expected, mean, variance = reference(norm, points)
    gradients = torch.autograd.grad((expected * steepness).sum(), [points, norm.weight, norm.bias])

    network = nn.Sequential(nn.ELU(), layer()).train()
    replace_norms(network, partial(GroupedBatchNorm, groups=GROUPS))
    own, again = network[1], images.clone().requires_grad_()
    found = whole(network(again if layout is None else in_blocks(again, *layout)))
    torch.testing.assert_close(found, expected)
    for ours, theirs in zip(
        torch.autograd.grad((found * steepness).sum(), [again, own.weight, own.bias]), gradients, strict=True
    ):
        torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(own.running_mean, mean)
    torch.testing.assert_close(own.running_var, variance)
    assert own.num_batches_tracked == 1


def test_evaluation_and_the_names_of_the_state_stay() -> None:
    network = nn.Sequential(nn.Conv2d(3, CHANNELS, 1), layer()).double().eval()
    images = torch.randn(4, 3, 8, 8, dtype=torch.double)
    before, state = network(images), network.state_dict()
    replace_norms(network, partial(GroupedBatchNorm, groups=GROUPS))
    torch.testing.assert_close(network(images), before, rtol=0, atol=0)
    assert list(network.state_dict()) == list(state)
    assert all(torch.equal(network.state_dict()[name], value) for name, value in state.items())


def test_a_batch_that_makes_no_equal_groups_is_one_error() -> None:
    network = nn.Sequential(layer())
    replace_norms(network, partial(GroupedBatchNorm, groups=GROUPS))
    with pytest.raises(ValueError, match=r"^2 images make no 3 equal groups, .*, or set trainer\.batch_norm=global\.$"):
        network(torch.randn(2, CHANNELS, 4, 4, dtype=torch.double))
    assert network.eval()(torch.randn(2, CHANNELS, 4, 4, dtype=torch.double)).isfinite().all()


def test_one_value_per_channel_has_no_variance() -> None:
    """PyTorch's words, which the command words anew: the running variance would be infinite."""
    network, pixels = nn.Sequential(layer()), torch.randn(GROUPS, CHANNELS, 1, 1, dtype=torch.double)
    with pytest.raises(ValueError, match=ONE_VALUE):
        network(pixels[:1])
    replace_norms(network, partial(GroupedBatchNorm, groups=GROUPS))
    with pytest.raises(ValueError, match=ONE_VALUE) as error:
        network(pixels)
    assert user_errors.plain(error.value).startswith("batch normalisation meets a single image")
    assert network[0].running_var.isfinite().all()
