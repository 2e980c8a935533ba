"""The losses of a Wasserstein GAN, and the penalty that keeps its critic Lipschitz continuous."""

from collections.abc import Callable

import torch
from torch import Tensor

from deblurlab.losses.image_gradient import image_gradient


class Wasserstein:
    """The losses of a Wasserstein GAN (Arjovsky et al., 2017).

    Both take the critic's scores of a batch, (B,): the higher, the sharper an image looks to the critic.
    """

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[fake] - E[real]: the negative of the critic's estimate of the distance between the two distributions."""
        return fake.mean() - real.mean()

    def generator(self, fake: Tensor) -> Tensor:
        """-E[fake]: it is low if the critic takes restored images for sharp ones."""
        return -fake.mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    r""":math:`(\lVert\nabla_x \mathrm{critic}(x)\rVert_2 - 1)^2` at a point between each pair (Gulrajani et al., 2017).

    The norm is taken over all elements of an image. The penalty can be differentiated with respect to the critic's
    weights.

    Args:
        critic: Takes images, (B, C, H, W), and returns one score per image, (B,). An image's score must not depend on
            the other images of the batch.
        real: Sharp images, (B, C, H, W), without gradient.
        fake: Restored images of the same shape, without gradient.
        alpha: Where each point lies between ``real`` (0) and ``fake`` (1), (B,).

    Returns:
        One penalty per image, (B,) in [0, inf).
    """
    between = torch.lerp(real, fake, alpha[:, None, None, None]).requires_grad_()
    norm: Tensor = torch.linalg.vector_norm(image_gradient(critic, between).flatten(1), dim=1)
    return (norm - 1).square()
