"""The gradient that is made to be differentiated again, against what autograd makes of plain convolutions."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck

from deblurlab.losses.image_gradient import _Convolutions, image_gradient
from deblurlab.nets import PatchGAN


def plain_gradient(critic: nn.Module, images: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return gradient


class Critic(nn.Module):
    """Two convolutions of every kind of setting, and activations that bend."""

    def __init__(self, *, bias: bool = True, **options: Any) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 4, 3, bias=bias, **options)
        self.second = nn.Conv2d(4, 2, (2, 3), stride=(1, 2), padding=(1, 0), bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.second(torch.tanh(self.first(images))).square().flatten(1).sum(dim=1)
        return scores


def images() -> Tensor:
    return torch.randn(2, 4, 8, 11, dtype=torch.double, requires_grad=True)


@pytest.mark.parametrize("by_product", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": 1}, {"stride": (2, 3)}, {"dilation": 2}, {"groups": 2}, {"padding": "same"}],
)
def test_equals_plain_autograd_to_the_third_derivative(
    options: dict[str, Any], bias: bool, by_product: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Value, gradient of weights and images, and the gradient of that: a step that is itself differentiated."""
    monkeypatch.setattr("deblurlab.losses.image_gradient._FEW_PIXELS", 1000 if by_product else 0)
    monkeypatch.setattr("deblurlab.losses.image_gradient._MANY_CHANNELS", 1)
    torch.manual_seed(0)
    critic, points = Critic(bias=bias, **options).double(), images()
    inputs = [points, *critic.parameters()]
    found = []
    for gradient_of in (image_gradient, plain_gradient):
        gradient = gradient_of(critic, points)
        second = torch.autograd.grad(gradient.square().sum(), inputs, create_graph=True, materialize_grads=True)
        third = torch.autograd.grad(sum(one.square().sum() for one in second), inputs, materialize_grads=True)
        found.append([gradient, *second, *third])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert all(value.any() for value in found[1][:2])


@pytest.mark.parametrize("size", [(32, 32), (15, 22)])
def test_of_the_study_s_critic(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    critic, points = PatchGAN().double(), torch.rand(3, 3, *size, dtype=torch.double, requires_grad=True)
    norms = [gradient_of(critic, points).flatten(1).norm(dim=1) for gradient_of in (image_gradient, plain_gradient)]
    ours, theirs = (
        torch.autograd.grad((norm - 1).square().sum(), [points, *critic.parameters()], materialize_grads=True)
        for norm in norms
    )
    assert sum(bool(one.any()) for one in theirs) == len(theirs) - 2  # the two last biases move no gradient
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("frozen", ["first.weight", "first.bias", "second.weight"])
def test_of_a_critic_with_a_frozen_parameter(frozen: str) -> None:
    torch.manual_seed(0)
    critic, points = Critic().double(), images()
    critic.get_parameter(frozen).requires_grad_(False)
    results = []
    for gradient_of in (image_gradient, plain_gradient):
        critic.zero_grad()
        gradient_of(critic, points).square().sum().backward()
        results.append({name: parameter.grad for name, parameter in critic.named_parameters()})
    ours, theirs = results
    assert ours[frozen] is None
    for name, value in theirs.items():
        if value is not None:
            torch.testing.assert_close(ours[name], value)


def test_of_weights_that_depend_on_the_images() -> None:
    """Their gradient is a part of the images' gradient, which must not be left out."""
    kernel = torch.randn(2, 4, 3, 3, dtype=torch.double)

    def critic(points: Tensor) -> Tensor:
        return nn.functional.conv2d(points, kernel * points.mean()).square().flatten(1).sum(dim=1)

    points = images()
    torch.testing.assert_close(image_gradient(critic, points), plain_gradient(critic, points))


@pytest.mark.parametrize("images_need_it", [True, False])
@pytest.mark.parametrize("weight_needs_it", [True, False])
@pytest.mark.parametrize("bias", ["none", "frozen", "trained"])
def test_the_convolution_s_derivatives(bias: str, weight_needs_it: bool, images_need_it: bool) -> None:
    """First and second derivatives against finite differences, for whatever requires a gradient."""
    torch.manual_seed(0)
    points = torch.randn(2, 2, 5, 4, dtype=torch.double, requires_grad=images_need_it)
    weight = torch.randn(3, 2, 3, 2, dtype=torch.double, requires_grad=weight_needs_it)
    offset = None if bias == "none" else torch.randn(3, dtype=torch.double, requires_grad=bias == "trained")

    def convolved(*inputs: Tensor) -> Tensor:
        with _Convolutions():
            return nn.functional.conv2d(inputs[0], inputs[1], *inputs[2:], stride=2, padding=1)

    inputs = [value for value in (points, weight, offset) if value is not None]
    if any(value.requires_grad for value in inputs):
        assert gradcheck(convolved, inputs)
        assert gradgradcheck(convolved, inputs)
    else:
        assert not convolved(*inputs).requires_grad


def test_outside_of_the_penalty_convolutions_are_pytorch_s() -> None:
    points = images()
    image_gradient(Critic().double(), points)
    assert type(nn.Conv2d(4, 4, 3).double()(points).grad_fn).__name__ == "ConvolutionBackward0"


def test_under_autocast_convolutions_are_bfloat16_as_ever() -> None:
    torch.manual_seed(0)
    critic, points = Critic(), images().detach().float().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours, theirs = (gradient_of(critic, points) for gradient_of in (image_gradient, plain_gradient))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
