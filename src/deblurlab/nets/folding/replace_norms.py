"""Replaces a network's batch normalisations by other layers, without a change of the network's code."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from typing_extensions import override


def replace_norms(module: nn.Module, make: Callable[..., _BatchNorm]) -> None:
    """Replace every batch normalisation in a module; names, weights and running statistics are kept.

    Args:
        module: A network, or a module that contains networks.
        make: Makes the new layer from the arguments of PyTorch's BatchNorm2d.
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
    """Abstract: batch normalisation whose statistics in training are of other images than the whole input.

    They may be those of a part of the input, or of the images of all processes.

    It has the arguments, weights and running statistics of ``torch.nn.BatchNorm2d``, and its evaluation.
    """

    @override
    def _check_input_dim(self, input: Tensor) -> None:
        """Accept every shape that begins with (B, C)."""

    def _next_momentum(self) -> Any:
        """Count a batch, and return the weight of its statistics in the running ones: a float or a scalar tensor."""
        if self.num_batches_tracked is None or self.running_mean is None:
            return 0.0
        self.num_batches_tracked.add_(1)
        return self.momentum if self.momentum is not None else 1 / self.num_batches_tracked.type_as(self.running_mean)

    def _update_running(self, mean: Tensor, variance: Tensor, momentum: Any, *, count: int) -> None:
        """Update the running statistics as PyTorch's layer does.

        Args:
            mean: (C,).
            variance: (C,), the biased variance; the running variance takes the unbiased estimate.
            momentum: The result of :meth:`_next_momentum`.
            count: The number of values per channel from which the variance was computed.
        """
        if self.running_mean is None or self.running_var is None:
            return
        with torch.no_grad():
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * count / (count - 1), momentum)
