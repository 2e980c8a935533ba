"""Corrects the derivative of ELU on XLA devices: torch_xla 2.9 mistakes the function's argument for its result."""

import math
import warnings
from functools import cache

import torch
from torch import Tensor
from torch.library import Library


@cache
def mend_elu(device: torch.device) -> Library | None:
    """Replace torch_xla's derivative of ELU if it is wrong, and with it those of SELU and CELU, in this process.

    torch_xla 2.9 returns x + 1 for negative x instead of exp(x): -1 instead of 0.14 at x = -2. A later version that
    returns the right value keeps its own derivative.

    Args:
        device: An XLA device, on which the derivative at one point is computed.

    Returns:
        The object that keeps the replacement registered, or None if nothing was replaced.
    """
    if math.isclose(slope_at_minus_two(device), math.exp(-2), rel_tol=1e-2):
        return None
    library = Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Warning only once for all operators")
        library.impl("elu_backward", _elu_backward, "XLA")  # type: ignore[no-untyped-call]
    return library


def slope_at_minus_two(device: torch.device) -> float:
    """The derivative of ELU at -2 as a device computes it; the right value is exp(-2)."""
    argument = torch.full((), -2.0, device=device)
    slope = torch.ops.aten.elu_backward(torch.ones_like(argument), 1.0, 1.0, 1.0, False, argument)
    return float(slope)


def _elu_backward(
    gradient: Tensor, alpha: float, scale: float, input_scale: float, is_result: bool, self_or_result: Tensor
) -> Tensor:
    negative = self_or_result.clamp(max=0)
    active = negative if is_result else alpha * scale * torch.expm1(negative * input_scale)
    slope = (active + alpha * scale) * input_scale
    return gradient * torch.where(self_or_result > 0, scale, slope)
