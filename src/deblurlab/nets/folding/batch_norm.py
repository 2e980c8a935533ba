"""Batch normalisation of folded features, together with the activation function before it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from deblurlab.nets.folding.folded import Folded, Function, folded_form_of
from deblurlab.nets.folding.shifting import inside


@folded_form_of(F.batch_norm)
def batch_norm(
    features: Folded,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    groups: int = 1,
) -> Any:
    """Batch normalisation with weights and running statistics. The result has zeros outside of the image.

    The last argument is not one of PyTorch's function: the batch is divided into ``groups`` equal parts, each of which
    is normalised separately.
    """
    if running_mean is None or running_var is None or weight is None or bias is None or len(features.parts) > 1:
        return NotImplemented
    mask = inside(features, torch.promote_types(features.blocks.dtype, torch.float32))
    if training:
        before, activation = features.activated or (features.blocks, None)
        if groups > 1:
            before = torch.unflatten(before, 0, (groups, -1))
        blocks, mean, variance, count = _Normalise.apply(  # type: ignore[no-untyped-call]
            before, weight, bias, mask, activation, eps
        )
        if groups > 1:
            blocks, mean, variance = blocks.flatten(0, 1), mean.mean(0), variance.mean(0)
        with torch.no_grad():
            running_mean.lerp_(mean, momentum)
            running_var.lerp_(variance * count / (count - 1), momentum)
    else:
        scale = weight * torch.rsqrt(running_var + eps)
        shift = bias - running_mean * scale
        normalised = features.blocks * _spread(scale, mask) + _spread(shift, mask)
        blocks = normalised.type(features.blocks.dtype)
    return features.like(blocks, zero_padding=True)


def _spread(channels: Tensor, mask: Tensor) -> Tensor:
    """Repeat one value per channel, (C,), for every row of a block: (rows C, blocks or 1, 1), zero in the padding.

    Values of several groups, (groups, C), become (groups, 1, rows C, blocks or 1, 1).
    """
    rows = (channels[..., None, :, None] * mask).flatten(-3, -2).unsqueeze(-1)
    return rows if channels.ndim == 1 else rows.unsqueeze(1)


def _total(values: Tensor, mask: Tensor) -> Tensor:
    """The sum of (B, rows C, blocks, W) over batch and image, (C,), or of each group separately, (groups, C)."""
    total = values.sum((-4, -2, -1)) if mask.shape[2] == 1 else values.sum((-4, -1))
    return (total.view(*values.shape[:-4], mask.shape[0], -1, mask.shape[2]) * mask).sum((-3, -1))


def _elu(values: Tensor) -> Tensor:
    return values.clamp(min=0) + torch.expm1(values.clamp(max=0))


# Activation functions, and their derivatives as functions of their results. They compare nothing, because XLA would
# keep the masks of comparisons in memory for the backward pass.
_BRANCHLESS: dict[Function | None, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    None: (lambda values: values, torch.ones_like),
    F.elu: (_elu, lambda active: active.clamp(max=0) + 1),
    F.relu: (lambda values: values.clamp(min=0), torch.sign),
}


class _Normalise(torch.autograd.Function):
    """Batch normalisation (Ioffe & Szegedy, 2015) of an activation function's result.

    The batch may be in groups, (groups, B, rows C, blocks, W), each of which is normalised separately.

    The backward pass reads two large tensors only: the result of the activation function and the gradient. Forward and
    backward pass each sum over them once, and XLA fuses these sums into the convolutions before them.
    """

    @staticmethod
    def forward(
        ctx: Any,
        blocks: Tensor,
        weight: Tensor,
        bias: Tensor,
        mask: Tensor,
        activation: Function | None,
        eps: float,
    ) -> tuple[Tensor, Tensor, Tensor, int]:
        function, ctx.derivative = _BRANCHLESS[activation]
        active = function(blocks)
        wide = active.type(mask.dtype)
        shifted = mask.shape[2] > 1  # then there is one block more, and as much padding as a block has rows
        count = blocks.shape[-4] * mask.shape[0] * (blocks.shape[-2] - shifted) * blocks.shape[-1]
        mean = _total(wide, mask) / count
        variance = (_total(wide.square(), mask) / count - mean.square()).clamp(min=0)
        deviation = torch.rsqrt(variance + eps)
        scale = weight * deviation
        ctx.save_for_backward(active, mask, mean, deviation, scale)
        ctx.count = count
        normalised = wide * _spread(scale, mask) + _spread(bias - mean * scale, mask)
        return normalised.type(blocks.dtype), mean, variance, count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        active, mask, mean, deviation, scale = ctx.saved_tensors
        gradient, wide = gradient.type(mask.dtype), active.type(mask.dtype)
        grad_bias = _total(gradient, mask)
        grad_weight = (_total(gradient * wide, mask) - mean * grad_bias) * deviation
        slope = -scale * deviation * grad_weight / ctx.count
        offset = -slope * mean - scale * grad_bias / ctx.count
        inner = gradient * _spread(scale, mask) + wide * _spread(slope, mask) + _spread(offset, mask)
        if grad_weight.ndim > 1:  # the layer has one weight and one bias for all groups
            grad_weight, grad_bias = grad_weight.sum(0), grad_bias.sum(0)
        return (inner * ctx.derivative(wide)).type(active.dtype), grad_weight, grad_bias, None, None, None
