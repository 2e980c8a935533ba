"""Puts other layers in the place of a network's batch normalisations, from outside, as folding does."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from typing_extensions import override


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


class ReplacedNorm(_BatchNorm):
    """Abstract: batch normalisation whose training takes statistics of other images than those of the whole input.

    It has the arguments, weights and running statistics of ``torch.nn.BatchNorm2d``, and its evaluation.
    """

    @override
    def _check_input_dim(self, input: Tensor) -> None:
        """Every shape that begins with (B, C) is taken."""

    def _next_momentum(self) -> Any:
        """Count a batch, and tell by how much the running statistics move to its own: a number or, on the device, a
        scalar.
        """
        if self.num_batches_tracked is None or self.running_mean is None:
            return 0.0
        self.num_batches_tracked.add_(1)
        return self.momentum if self.momentum is not None else 1 / self.num_batches_tracked.type_as(self.running_mean)

    def _follow(self, mean: Tensor, variance: Tensor, momentum: Any, *, count: int) -> None:
        """Move the running statistics, as PyTorch's layer does.

        Args:
            mean: (C,).
            variance: (C,), the mean squared deviation; what is kept is the estimate from ``count`` samples.
            momentum: What :meth:`_next_momentum` told.
            count: Of how many values in each channel the variance is.
        """
        if self.running_mean is None or self.running_var is None:
            return
        with torch.no_grad():
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * count / (count - 1), momentum)
