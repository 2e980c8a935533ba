"""Prints how far the gradients of a network on eight XLA devices are from those on the CPU, as JSON.

``python -m tests.backends.xla.gradients NAME``; a process has one XLA runtime.
"""

import copy
import json
import sys
from collections.abc import Callable

import torch
import torch_xla
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.backends.xla import spmd_strategy
from deblurlab.interfaces import as_scales
from deblurlab.losses import LogCosh, gradient_penalty
from deblurlab.nets import BlindWiener, MSDeblur, NAFNet, PatchGAN, REDNet30, ResNet16, UNet16
from deblurlab.nets.folding import fold_rows


class ELUs(nn.Module):
    """A user's network with the activation functions whose derivatives are computed by ELU's."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Sequential(nn.Conv2d(3, 3, 1), act) for act in (nn.ELU(), nn.ELU(2.0), nn.CELU(0.5)))
        )

    def forward(self, images: Tensor) -> Tensor:
        restored: Tensor = self.layers(images)
        return restored


def nafnet() -> NAFNet:
    network = NAFNet(width=4, encoder_blocks=[1, 1], middle_blocks=1, decoder_blocks=[1, 1])
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith(("beta", "gamma")):  # at their start, blocks add nothing
                weight.fill_(1.0)
    return network


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "resnet16": ResNet16,
    "resnet16_keras": lambda: ResNet16(padding="keras"),
    "unet16": UNet16,
    "rednet30": REDNet30,
    "rednet30_tanh": lambda: REDNet30(tanh=True),
    "msdeblur": lambda: MSDeblur(blocks=1),
    "msdeblur_keras": lambda: MSDeblur(blocks=1, padding="keras", quarter="bilinear"),
    "msdeblur_residual": lambda: MSDeblur(blocks=1, residual=True),
    "patchgan": PatchGAN,
    "blind_wiener": lambda: BlindWiener(sigma_max=3.0, hidden=8, widths=(8, 16), blocks=(1, 1, 1)),
    "nafnet": nafnet,
    "elus": ELUs,
}


def gradients(network: nn.Module, blurred: Tensor, sharp: Tensor) -> dict[str, Tensor]:
    """The gradient of each parameter: of the study's loss, or of a critic's scores and penalty."""
    if isinstance(network, PatchGAN):
        alpha = torch.linspace(0, 1, len(blurred), dtype=blurred.dtype, device=blurred.device)
        penalty = gradient_penalty(network, sharp, blurred, alpha)
        loss = network(blurred).mean() - network(sharp).mean() + 10 * penalty
    else:
        scales = as_scales(network(blurred))
        targets = [F.avg_pool2d(sharp, 2**i) if i else sharp for i in range(len(scales))]
        loss = sum(
            (LogCosh()(scale, target) for scale, target in zip(scales, targets, strict=True)), torch.zeros(1).to(sharp)
        )
    loss.mean().backward()  # type: ignore[no-untyped-call]
    return {name: value.grad for name, value in network.named_parameters() if value.grad is not None}


if __name__ == "__main__":
    torch.manual_seed(0)
    network = NETWORKS[sys.argv[1]]()
    blurred, sharp = torch.randn(2, 8, 3, 16, 16).unbind()
    strategy = spmd_strategy("xla_cpu", devices=8, bfloat16=False)  # before autograd starts one thread per device
    expected = gradients(copy.deepcopy(network), blurred, sharp)
    fold_rows(network)
    found = gradients(network.to(strategy.root_device), strategy._split(blurred), strategy._split(sharp))
    torch_xla.sync()  # all gradients in one graph
    assert found.keys() == expected.keys()
    steepest = max(float(value.abs().max()) for value in expected.values())
    print(
        json.dumps(
            {name: float((found[name].cpu() - value).abs().max()) / steepest for name, value in expected.items()}
        )
    )
