"""Batch normalisation of equal parts of a batch separately, as devices that do not communicate would compute it."""

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from deblurlab.nets.folding.batch_norm import batch_norm
from deblurlab.nets.folding.folded import Folded, unfold
from deblurlab.nets.folding.replace_norms import ReplacedNorm

# The beginning of the message of PyTorch's own layer.
ONE_VALUE = "Expected more than 1 value per channel when training"


class GroupedBatchNorm(ReplacedNorm):
    """Batch normalisation (Ioffe & Szegedy, 2015) with separate statistics for each group of images.

    The running statistics are updated with the mean over the groups. Evaluation is PyTorch's. If a batch is split over
    as many devices as there are groups, the devices need not exchange statistics, except for the running ones, which no
    computation waits for.

    Args:
        num_features: This and the following arguments are those of ``torch.nn.BatchNorm2d``.
        groups: The number of equal, contiguous parts of the batch that are normalised separately.
    """

    def __init__(
        self,
        num_features: int,
        *,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        groups: int,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats)
        self.groups = groups

    @override
    def forward(self, input: Any) -> Any:
        """Normalise features, (B, C, ...), plain or folded.

        Raises:
            ValueError: In training, if B is not a multiple of ``groups``, or a group has only one value per channel.
        """
        if not self.training:
            return super().forward(input)
        self._require_groups(input.blocks if isinstance(input, Folded) else input)
        momentum = self._next_momentum()
        if isinstance(input, Folded):
            running, weights = (self.running_mean, self.running_var), (self.weight, self.bias)
            folded = batch_norm(input, *running, *weights, True, momentum, self.eps, groups=self.groups)
            if folded is not NotImplemented:
                return folded
        return self._normalised(unfold(input) if isinstance(input, Folded) else input, momentum)

    def _require_groups(self, features: Tensor) -> None:
        if len(features) % self.groups:
            raise ValueError(
                f"{len(features)} images make no {self.groups} equal groups, one per core, for batch normalisation "
                f"(trainer.batch_norm=per_core): make data.batch_size, and each part where model.micro_batches divides "
                f"it, a multiple of {self.groups}, or set trainer.batch_norm=global."
            )
        if features.numel() == self.groups * self.num_features:
            raise ValueError(f"{ONE_VALUE}, got {self.groups} groups of one image of a single pixel")

    def _normalised(self, features: Tensor, momentum: Any) -> Tensor:
        wide = features.type(torch.promote_types(features.dtype, torch.float32))
        wide = torch.unflatten(wide, 0, (self.groups, -1))
        dims = (1, *range(3, wide.ndim))
        variances, means = torch.var_mean(wide, dims, correction=0, keepdim=True)
        count = wide[0].numel() // self.num_features
        self._update_running(means.mean(0).flatten(), variances.mean(0).flatten(), momentum, count=count)
        normalised: Tensor = ((wide - means) * torch.rsqrt(variances + self.eps)).flatten(0, 1)
        if self.weight is not None:
            shape = (-1, *[1] * (features.ndim - 2))
            normalised = normalised * self.weight.view(shape) + self.bias.view(shape)
        return normalised.type(features.dtype)
