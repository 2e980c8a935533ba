"""Sums and means over the processes of a training."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, distributed
from torch.autograd import Function


class _Summed(Function):
    """A sum over processes. Its derivative is again a sum over processes, so that a gradient penalty can use it."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return summed(gradient)


def summed(values: Tensor) -> Tensor:
    """The elementwise sum over all processes; it is differentiable."""
    total: Tensor = _Summed.apply(values)  # type: ignore[no-untyped-call]
    return total


def gathered(values: Tensor) -> Tensor:
    """The values of all processes, stacked along a new first dimension; this is differentiable."""
    slots = values.new_zeros((distributed.get_world_size(), *values.shape))
    place = torch.arange(len(slots), device=values.device) == distributed.get_rank()
    mine = torch.where(place.view(-1, *[1] * values.ndim), values, slots)
    return summed(mine)


def average_(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over the processes, with one all-reduce for all of them."""
    if not tensors:
        return
    flat = torch.cat([one.reshape(-1) for one in tensors])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for one, mean in zip(tensors, torch.split(flat, [one.numel() for one in tensors]), strict=True):
        one.copy_(mean.view(one.shape))
