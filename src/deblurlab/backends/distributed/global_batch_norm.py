"""Batch normalisation over the global batch, of which each process has a part."""

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from typing_extensions import override

from deblurlab.backends.distributed.reductions import gathered


class GlobalBatchNorm(_BatchNorm):
    """Batch normalisation (Ioffe & Szegedy, 2015) with the statistics of all processes' images, each of which has as
    many as any other.

    PyTorch's SyncBatchNorm computes the same, on GPUs only, and cannot be differentiated twice.
    """

    @override
    def _check_input_dim(self, input: Tensor) -> None:
        """Every shape that begins with (B, C) is taken."""

    @override
    def forward(self, input: Tensor) -> Tensor:
        """Normalise features, (B, C, ...); they keep their type, the statistics are float32 at least."""
        if not self.training:
            return super().forward(input)
        wide = input.to(torch.promote_types(input.dtype, torch.float32))
        dims = [0, *range(2, input.ndim)]
        variances, means = gathered(torch.stack(torch.var_mean(wide, dims, correction=0))).unbind(1)
        mean = means.mean(0)
        variance = (variances + (means - mean).square()).mean(0)
        self._follow(mean.detach(), variance.detach(), count=wide.numel() // len(mean) * distributed.get_world_size())
        scale = torch.rsqrt(variance + self.eps)
        if self.weight is not None:
            scale = scale * self.weight
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        shape = (1, -1, *[1] * (input.ndim - 2))
        return torch.addcmul(shift.view(shape), wide, scale.view(shape)).to(input.dtype)

    def _follow(self, mean: Tensor, variance: Tensor, *, count: int) -> None:
        """Move the running statistics, as PyTorch's layer does: the variance is the one of ``count`` samples."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * count / (count - 1), momentum)


def running_statistics(module: nn.Module) -> list[Tensor]:
    """The running means and variances of the batch normalisations that are being trained."""
    norms = [one for one in module.modules() if isinstance(one, _BatchNorm) and one.training]
    return [one for norm in norms for one in (norm.running_mean, norm.running_var) if one is not None]
