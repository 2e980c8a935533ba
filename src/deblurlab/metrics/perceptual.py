"""Perceptual scores, LPIPS and DISTS. The weights of their networks are downloaded when they are first used."""

from collections.abc import Callable
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torchmetrics.functional.image.dists import DISTSNetwork
from torchmetrics.functional.image.lpips import _LPIPS

from deblurlab.metrics.scores import PERCEPTUAL


class _LPIPSScore(nn.Module):
    """Learned perceptual image patch similarity (Zhang et al., 2018), version 0.1 with AlexNet; lower is better."""

    def __init__(self) -> None:
        super().__init__()
        self.network = _LPIPS(net="alex")

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        values: Tensor = self.network(restored.clamp(0, 1), sharp.clamp(0, 1), normalize=True)
        return values.flatten()


class _DISTSScore(nn.Module):
    """Deep image structure and texture similarity (Ding et al., 2020); lower is better."""

    def __init__(self) -> None:
        super().__init__()
        self.network = DISTSNetwork()

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        values: Tensor = self.network(restored.clamp(0, 1), sharp.clamp(0, 1))
        return values.reshape(len(restored))


_MAKE: dict[str, Callable[[], nn.Module]] = {"lpips": _LPIPSScore, "dists": _DISTSScore}


def perceptual(name: str) -> nn.Module:
    """Make a perceptual metric; it downloads its weights to ``TORCH_HOME``, by default ``~/.cache/torch``.

    Args:
        name: ``lpips`` or ``dists``.

    Returns:
        A module that takes restored and sharp images, two (B, 3, H, W) batches in about [0, 1], and returns one value
        per image, (B,); lower is better.

    Raises:
        ValueError: If its weights are missing and cannot be downloaded.
    """
    try:
        return _MAKE[name]().eval().requires_grad_(False)
    except (URLError, OSError) as error:
        raise ValueError(
            f"metrics=[{name}] needs the weights of {PERCEPTUAL[name]}, which could not be downloaded from "
            f"download.pytorch.org ({error}). Go online once, or copy them to the "
            f"folder checkpoints of {torch.hub.get_dir()}."
        ) from error
