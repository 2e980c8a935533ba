"""Sums and means over the processes of a training."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, distributed
from torch.autograd import Function


class _Summed(Function):
    """The derivative of a sum over processes is the sum over processes of the derivatives, by the same function. So it
    can be differentiated again, as a gradient penalty asks for.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return summed(gradient)


def summed(values: Tensor) -> Tensor:
    """The sum of each process's values, of the same shape, with its gradient."""
    total: Tensor = _Summed.apply(values)  # type: ignore[no-untyped-call]
    return total


def gathered(values: Tensor) -> Tensor:
    """The values of all processes, one after the other along a new first dimension, with their gradient."""
    slots = values.new_zeros((distributed.get_world_size(), *values.shape))
    place = torch.arange(len(slots), device=values.device) == distributed.get_rank()
    mine = torch.where(place.view(-1, *[1] * values.ndim), values, slots)
    return summed(mine)


def average_(tensors: Sequence[Tensor]) -> None:
    """Put the mean over the processes in the place of each tensor, by one all-reduce for all of them."""
    if not tensors:
        return
    flat = torch.cat([one.reshape(-1) for one in tensors])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for one, mean in zip(tensors, torch.split(flat, [one.numel() for one in tensors]), strict=True):
        one.copy_(mean.view(one.shape))
