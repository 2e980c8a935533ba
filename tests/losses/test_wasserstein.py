import pytest
import torch
from torch import Tensor, nn

from deblurlab.losses import Wasserstein, gradient_penalty


@pytest.fixture
def pairs() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.rand(4, 3, 5, 6).double(), torch.rand(4, 3, 5, 6).double(), torch.rand(4).double()


def test_the_penalty_of_a_linear_critic_is_known(pairs: tuple[Tensor, Tensor, Tensor]) -> None:
    """Its gradient is its weight everywhere, and the norm is over the whole image: (|w| - 1)^2."""
    weight = torch.randn(3, 5, 6, dtype=torch.double, requires_grad=True)
    penalty = gradient_penalty(lambda images: (images * weight).flatten(1).sum(dim=1), *pairs)
    torch.testing.assert_close(penalty, (weight.norm() - 1).square().expand(4))
    penalty.mean().backward()
    expected = 2 * (weight.norm() - 1) * weight / weight.norm()
    torch.testing.assert_close(weight.grad, expected.detach())


def test_the_penalty_is_taken_between_sharp_and_restored(pairs: tuple[Tensor, Tensor, Tensor]) -> None:
    """A quadratic critic's gradient is the point itself."""
    real, fake, alpha = pairs
    penalty = gradient_penalty(lambda images: images.square().flatten(1).sum(dim=1) / 2, real, fake, alpha)
    between = real + alpha[:, None, None, None] * (fake - real)
    torch.testing.assert_close(penalty, (between.flatten(1).norm(dim=1) - 1).square())


def test_a_critic_without_gradient_has_a_finite_penalty(pairs: tuple[Tensor, Tensor, Tensor]) -> None:
    weight = nn.Parameter(torch.zeros((), dtype=torch.double))
    penalty = gradient_penalty(lambda images: weight * images.flatten(1).sum(dim=1), *pairs).mean()
    penalty.backward()
    assert penalty == 1
    assert weight.grad is not None
    assert weight.grad.isfinite()


def test_the_players_want_opposite_scores() -> None:
    real, fake = torch.tensor([2.0, 4.0]), torch.tensor([1.0, -2.0])
    assert Wasserstein().critic(real, fake) == -3.5
    assert Wasserstein().generator(fake) == 0.5
