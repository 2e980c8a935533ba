import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from deblurlab.losses import LogCosh
from deblurlab.losses.logcosh import log_cosh


def _reference(error: float) -> float:
    """NumPy in 80-bit or better precision where the platform has it; float64 suffices for the tolerance below."""
    size = np.abs(np.longdouble(error))
    if size < 5:
        return float(np.log1p(2 * np.sinh(size / 2) ** 2))
    return float(size + np.log1p(np.exp(-2 * size)) - np.log(np.longdouble(2)))


@given(st.floats(-1e6, 1e6, width=32))
def test_float32_keeps_relative_precision(error: float) -> None:
    expected = _reference(error)
    actual = float(log_cosh(torch.tensor(error, dtype=torch.float32)))
    assert abs(actual - expected) <= 2e-6 * abs(expected) + 1e-38


def test_small_errors_are_not_lost() -> None:
    error = torch.logspace(-12, 0, 60, dtype=torch.float32)
    expected = torch.tensor([_reference(float(each)) for each in error], dtype=torch.float64)
    torch.testing.assert_close(log_cosh(error).double(), expected, rtol=1e-6, atol=0)


def test_gradient_is_tanh() -> None:
    error = torch.linspace(-50, 50, 1001, dtype=torch.float64, requires_grad=True)
    log_cosh(error).sum().backward()
    assert error.grad is not None
    torch.testing.assert_close(error.grad, error.detach().tanh())


def test_huge_errors_stay_finite_with_their_gradient() -> None:
    error = torch.tensor([1e30, -1e30], requires_grad=True)
    loss = log_cosh(error)
    loss.sum().backward()
    assert error.grad is not None
    assert loss.isfinite().all()
    assert error.grad.tolist() == [1.0, -1.0]


def test_one_value_an_image() -> None:
    restored, sharp = torch.rand(4, 3, 8, 8), torch.rand(4, 3, 8, 8)
    losses = LogCosh()(restored, sharp)
    assert losses.shape == (4,)
    torch.testing.assert_close(losses.mean(), log_cosh(restored - sharp).mean())
