"""Prints how far normalisation per core on eight XLA devices is from a reference in float64 on the CPU, as JSON.

``python -m tests.backends.xla.per_core``; a process has one XLA runtime.
"""

import copy
import json
from functools import partial

import torch
import torch_xla
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.backends.xla import spmd_strategy
from deblurlab.losses import LogCosh
from deblurlab.nets import REDNet30
from deblurlab.nets.folding import GroupedBatchNorm, fold_rows, replace_norms

CORES = 8


class OfEachCore(nn.BatchNorm2d):
    """The reference: PyTorch's own normalisation, called for the images of each core with statistics of their own."""

    def forward(self, features: Tensor) -> Tensor:
        own = [(self.running_mean.clone(), self.running_var.clone()) for _ in range(CORES)]
        parts = zip(own, features.chunk(CORES), strict=True)
        result = [F.batch_norm(x, *kept, self.weight, self.bias, True, self.momentum, self.eps) for kept, x in parts]
        for statistic, values in zip((self.running_mean, self.running_var), zip(*own, strict=True), strict=True):
            statistic.copy_(torch.stack(values).mean(0))
        return torch.cat(result)


def step(network: nn.Module, blurred: Tensor, sharp: Tensor) -> dict[str, Tensor]:
    """The gradient of each parameter, and the running statistics after it."""
    LogCosh()(network(blurred), sharp).mean().backward()  # type: ignore[no-untyped-call]
    statistics = {name: value for name, value in network.named_buffers() if "running" in name}
    return statistics | {name: value.grad for name, value in network.named_parameters() if value.grad is not None}


if __name__ == "__main__":
    torch.manual_seed(0)
    network = REDNet30()
    blurred, sharp = torch.rand(2, 2 * CORES, 3, 8, 8).unbind()
    strategy = spmd_strategy("xla_cpu", devices=CORES, bfloat16=False)  # before autograd starts a thread per device
    alone = copy.deepcopy(network).double()
    replace_norms(alone, OfEachCore)
    expected = step(alone, blurred.double(), sharp.double())
    fold_rows(network)
    replace_norms(network, partial(GroupedBatchNorm, groups=CORES))
    found = step(network.to(strategy.root_device), strategy._split(blurred), strategy._split(sharp))
    torch_xla.sync()
    assert found.keys() == expected.keys()
    kinds = {
        "statistics": {name for name in found if "running" in name},
        "gradients": {name for name in found if "running" not in name},
    }
    errors = {name: float((found[name].cpu() - expected[name]).abs().max()) for name in found}
    scale = {kind: max(float(expected[name].abs().max()) for name in names) for kind, names in kinds.items()}
    print(json.dumps({kind: max(errors[name] for name in names) / scale[kind] for kind, names in kinds.items()}))
