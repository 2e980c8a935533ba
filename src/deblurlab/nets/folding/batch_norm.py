"""Batch normalisation of folded features."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from deblurlab.nets.folding.rows import Features, Folded, inside

Activation = Callable[..., Tensor]


def normalise(features: Features, norm: nn.BatchNorm2d, activation: Activation | None = None) -> Features:
    """``norm`` of ``activation``, ``F.elu`` or ``F.relu``, on features folded or not; zero where they are padding."""
    if isinstance(features, Tensor):
        result: Tensor = norm(activation(features) if activation else features)
        return result
    assert norm.momentum is not None
    assert norm.running_mean is not None
    assert norm.running_var is not None
    image = inside(features, torch.promote_types(features.blocks.dtype, torch.float32))
    if norm.training:
        blocks, mean, variance, count = _Normalise.apply(  # type: ignore[no-untyped-call]
            features.blocks, norm.weight, norm.bias, image, activation, norm.eps
        )
        with torch.no_grad():
            assert norm.num_batches_tracked is not None
            norm.num_batches_tracked += 1
            norm.running_mean.lerp_(mean, norm.momentum)
            norm.running_var.lerp_(variance * count / (count - 1), norm.momentum)
    else:
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        active = activation(features.blocks) if activation else features.blocks
        shift = norm.bias - norm.running_mean * scale
        blocks = (active * _spread(scale, image) + _spread(shift, image)).type(active.dtype)
    return Folded(blocks, features.rows, features.shifted)


def _spread(channels: Tensor, image: Tensor) -> Tensor:
    """A value a channel, (C,), for every row of a block, (rows C, blocks or 1, 1); zero in the padding."""
    return (channels[:, None] * image).flatten(0, 1).unsqueeze(-1)


def _total(values: Tensor, image: Tensor) -> Tensor:
    """(B, rows C, blocks, W) summed over the image, (C,)."""
    total = values.sum((0, 2, 3)) if image.shape[2] == 1 else values.sum((0, 3))
    return (total.view(image.shape[0], -1, image.shape[2]) * image).sum((0, 2))


def _elu(values: Tensor) -> Tensor:
    return values.clamp(min=0) + torch.expm1(values.clamp(max=0))


# Activations, and their derivatives from their results. Without comparisons, whose masks XLA would keep.
_BRANCHLESS: dict[Activation | None, tuple[Activation, Activation]] = {
    None: (lambda values: values, torch.ones_like),
    F.elu: (_elu, lambda active: active.clamp(max=0) + 1),
    F.relu: (lambda values: values.clamp(min=0), torch.sign),
}


class _Normalise(torch.autograd.Function):
    """Batch normalisation (Ioffe & Szegedy, 2015) of an activation.

    Of the big tensors the backward pass reads the activation and the gradient alone, and each of the two passes
    sums once: XLA puts these sums into the convolutions before them.
    """

    @staticmethod
    def forward(
        ctx: Any,
        blocks: Tensor,
        weight: Tensor,
        bias: Tensor,
        image: Tensor,
        activation: Activation | None,
        eps: float,
    ) -> tuple[Tensor, Tensor, Tensor, int]:
        function, ctx.derivative = _BRANCHLESS[activation]
        active = function(blocks)
        wide = active.type(image.dtype)
        batch, height, width = blocks.shape[0], blocks.shape[2] - (image.shape[2] > 1), blocks.shape[3]
        count = batch * image.shape[0] * height * width
        mean = _total(wide, image) / count
        variance = (_total(wide.square(), image) / count - mean.square()).clamp(min=0)
        deviation = torch.rsqrt(variance + eps)
        scale = weight * deviation
        ctx.save_for_backward(active, image, mean, deviation, scale)
        ctx.count = count
        normalised = wide * _spread(scale, image) + _spread(bias - mean * scale, image)
        return normalised.type(blocks.dtype), mean, variance, count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        active, image, mean, deviation, scale = ctx.saved_tensors
        gradient, wide = gradient.type(image.dtype), active.type(image.dtype)
        bias = _total(gradient, image)
        weight = (_total(gradient * wide, image) - mean * bias) * deviation
        slope = -scale * deviation * weight / ctx.count
        offset = -slope * mean - scale * bias / ctx.count
        inner = gradient * _spread(scale, image) + wide * _spread(slope, image) + _spread(offset, image)
        return (inner * ctx.derivative(wide)).type(active.dtype), weight, bias, None, None, None
