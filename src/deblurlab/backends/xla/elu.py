"""A right backward pass for ELU: torch_xla 2.9 takes the function's argument for its result."""

import warnings
from functools import cache

import torch
from torch import Tensor
from torch.library import Library


@cache
def mend_elu() -> Library:
    """Replace torch_xla's derivative of ELU, and with it those of SELU and CELU, for every network of this process.

    Its own is x + 1 where x is negative, not exp(x): -1 for 0.14 at x = -2.

    Returns:
        What holds the replacement in place.
    """
    library = Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Warning only once for all operators")
        library.impl("elu_backward", _elu_backward, "XLA")  # type: ignore[no-untyped-call]
    return library


def _elu_backward(
    gradient: Tensor, alpha: float, scale: float, input_scale: float, is_result: bool, self_or_result: Tensor
) -> Tensor:
    negative = self_or_result.clamp(max=0)
    active = negative if is_result else alpha * scale * torch.expm1(negative * input_scale)
    slope = (active + alpha * scale) * input_scale
    return gradient * torch.where(self_or_result > 0, scale, slope)
