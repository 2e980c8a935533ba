"""Puts other layers in the place of a network's batch normalisations, from outside, as folding does."""

from collections.abc import Callable

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def replace_norms(module: nn.Module, make: Callable[..., _BatchNorm]) -> None:
    """Replace every batch normalisation in a module; names, weights and running statistics stay.

    Args:
        module: A network, or a module that contains networks.
        make: Makes a layer; it takes the arguments of PyTorch's BatchNorm2d.
    """
    for parent in list(module.modules()):
        for name, norm in parent.named_children():
            if isinstance(norm, _BatchNorm):
                made = make(
                    norm.num_features,
                    eps=norm.eps,
                    momentum=norm.momentum,
                    affine=norm.affine,
                    track_running_stats=norm.track_running_stats,
                )
                made.train(norm.training)
                made._parameters, made._buffers = norm._parameters, norm._buffers
                setattr(parent, name, made)
