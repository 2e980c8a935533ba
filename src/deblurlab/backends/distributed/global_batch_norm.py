"""Batch normalisation over the global batch, of which each process has a part."""

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from typing_extensions import override

from deblurlab.backends.distributed.reductions import gathered
from deblurlab.nets.folding import ReplacedNorm


class GlobalBatchNorm(ReplacedNorm):
    """Batch normalisation (Ioffe & Szegedy, 2015) with the statistics of the images of all processes.

    All processes must have the same number of images. PyTorch's SyncBatchNorm computes the same, but on GPUs only, and
    cannot be differentiated twice.
    """

    @override
    def forward(self, input: Tensor) -> Tensor:
        """Normalise features, (B, C, ...), of which the dtype is kept. The statistics are at least float32."""
        if not self.training:
            return super().forward(input)
        wide = input.to(torch.promote_types(input.dtype, torch.float32))
        dims = [0, *range(2, input.ndim)]
        variances, means = gathered(torch.stack(torch.var_mean(wide, dims, correction=0))).unbind(1)
        mean = means.mean(0)
        variance = (variances + (means - mean).square()).mean(0)
        count = wide.numel() // len(mean) * distributed.get_world_size()
        self._update_running(mean, variance, self._next_momentum(), count=count)
        scale = torch.rsqrt(variance + self.eps)
        if self.weight is not None:
            scale = scale * self.weight
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        shape = (1, -1, *[1] * (input.ndim - 2))
        return torch.addcmul(shift.view(shape), wide, scale.view(shape)).to(input.dtype)


def running_statistics(module: nn.Module) -> list[Tensor]:
    """The running means and variances of the batch normalisations that are being trained."""
    norms = [one for one in module.modules() if isinstance(one, _BatchNorm) and one.training]
    return [one for norm in norms for one in (norm.running_mean, norm.running_var) if one is not None]
