"""Prints how far two processes are from one that has the whole batch, in float64, as JSON.

``python -m tests.backends.distributed.reductions FOLDER RANK``: start it twice, with ranks 0 and 1.
"""

import copy
import json
import sys
from typing import Any

import torch
from torch import Tensor, distributed, nn

from deblurlab.backends.distributed.global_batch_norm import GlobalBatchNorm, running_statistics
from deblurlab.backends.distributed.reductions import average_, gathered
from deblurlab.nets.folding import replace_norms


def slopes(network: nn.Module, images: Tensor, *, twice: bool) -> list[Tensor]:
    """The gradients of a loss that is a mean over images; ``twice`` adds a penalty of the gradient of each image."""
    images = images.clone().requires_grad_()
    result = network(images)
    loss = result.square().mean()
    if twice:
        (slope,) = torch.autograd.grad(result.sin().sum(), images, create_graph=True)
        loss = loss + slope.square().mean()
    return list(torch.autograd.grad(loss, list(network.parameters())))


def differences(rank: int) -> dict[str, Any]:
    torch.manual_seed(0)
    images = torch.randn(6, 3, 5, 4, dtype=torch.double)
    mine = images.chunk(2)[rank]
    one = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, momentum=0.3), nn.ELU(), nn.Conv2d(4, 2, 2)).double()
    found: dict[str, Any] = {"rows": float((gathered(mine).flatten(0, 1) - images).abs().max())}
    for twice in (False, True):
        alone, together = copy.deepcopy(one), copy.deepcopy(one)
        replace_norms(together, GlobalBatchNorm)
        expected, own = slopes(alone, images, twice=twice), slopes(together, mine, twice=twice)
        average_(own)
        found[f"gradients, twice={twice}"] = max(
            float((ours - theirs).abs().max()) for ours, theirs in zip(own, expected, strict=True)
        )
        statistics = zip(running_statistics(together), running_statistics(alone), strict=True)
        found[f"statistics, twice={twice}"] = max(float((ours - theirs).abs().max()) for ours, theirs in statistics)
    return found


if __name__ == "__main__":
    folder, rank = sys.argv[1], int(sys.argv[2])
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    print(json.dumps(differences(rank)))
    distributed.destroy_process_group()
