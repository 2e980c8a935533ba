"""What a critic and a generator of a Wasserstein GAN minimise, and the penalty that keeps the critic Lipschitz."""

from collections.abc import Callable

import torch
from torch import Tensor


class Wasserstein:
    """The losses of a Wasserstein GAN (Arjovsky et al., 2017). Scores are (B,), higher for what looks sharp."""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[fake] - E[real]: minus the critic's estimate of the distance of the two distributions."""
        return fake.mean() - real.mean()

    def generator(self, fake: Tensor) -> Tensor:
        """-E[fake]."""
        return -fake.mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    r""":math:`(\lVert\nabla_x \mathrm{critic}(x)\rVert_2 - 1)^2` at a point between each pair (Gulrajani et al., 2017).

    The norm is taken over all of an image. The penalty can be differentiated by the critic's weights.

    Args:
        critic: images to one score an image, (B,), each of its image alone.
        real: (B, C, H, W), without gradient.
        fake: the same shape, without gradient.
        alpha: (B,) in [0, 1]; how far from ``real`` to ``fake`` each point lies.

    Returns:
        (B,) in [0, inf).
    """
    between = torch.lerp(real, fake, alpha[:, None, None, None]).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    norm: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return (norm - 1).square()
