"""Activations, sums, pooling and concatenation of folded features."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from deblurlab.nets.folding.folded import Folded, Function, folded_form_of
from deblurlab.nets.folding.shifting import unshift


@folded_form_of(F.relu)
def _relu(features: Folded, inplace: bool = False) -> Folded:
    activated = (features.blocks, F.relu)
    return features.like(F.relu(features.blocks), zero_padding=features.zero_padding, activated=activated)


@folded_form_of(F.elu)
def _elu(features: Folded, alpha: float = 1.0, inplace: bool = False) -> Folded:
    activated = (features.blocks, F.elu) if alpha == 1 else None
    return features.like(F.elu(features.blocks, alpha), zero_padding=features.zero_padding, activated=activated)


def _elementwise(function: Function) -> Function:
    """The folded form of a function that is applied element by element, such as a sum."""

    def folded_form(*args: Any, **kwargs: Any) -> Any:
        features = [value for value in args if isinstance(value, Folded)]
        if any(isinstance(value, Tensor) for value in args) or len({(one.rows, one.parts) for one in features}) > 1:
            return NotImplemented
        if len({one.shifted for one in features}) > 1:
            return folded_form(*(unshift(value) if isinstance(value, Folded) else value for value in args), **kwargs)
        blocks = (value.blocks if isinstance(value, Folded) else value for value in args)
        return features[0].like(function(*blocks, **kwargs))

    return folded_form


for _function in (torch.add, torch.sub, torch.mul, torch.div, torch.tanh):
    folded_form_of(_function)(_elementwise(_function))


@folded_form_of(F.max_pool2d)
def _max_pool2d(features: Folded, kernel_size: Any, stride: Any = None, *others: Any, **kwargs: Any) -> Any:
    """The maximum of 2x2 pixels with stride 2. The blocks of the result have half as many rows."""
    usual = {"padding": 0, "dilation": 1, "ceil_mode": False, "return_indices": False}
    if kernel_size != 2 or stride not in (None, 2) or others or usual | kwargs != usual:
        return NotImplemented
    if len(features.parts) > 1 or features.shape[-1] % 2:
        return NotImplemented
    features = unshift(features)
    if features.rows == 1:
        return features.like(F.max_pool2d(features.blocks, 2))
    columns = _first_maximum(features.blocks[..., 0::2], features.blocks[..., 1::2])
    return Folded(_first_maximum(*columns.chunk(2, dim=1)), features.rows // 2, features.parts)


def _first_maximum(first: Tensor, second: Tensor) -> Tensor:
    """The maximum. Between two equal values the gradient goes to the first one, as in ``max_pool2d``."""
    return torch.where(second > first, second, first)


@folded_form_of(torch.cat)
def _cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Concatenate channels."""
    if dim != 1 or not all(isinstance(one, Folded) for one in tensors) or len({one.rows for one in tensors}) > 1:
        return NotImplemented
    features = list(map(unshift, tensors)) if len({one.shifted for one in tensors}) > 1 else list(tensors)
    return Folded(
        torch.cat([one.blocks for one in features], dim=1),
        features[0].rows,
        parts=tuple(part for one in features for part in one.parts),
        shifted=features[0].shifted,
        zero_padding=all(one.zero_padding for one in features),
    )
