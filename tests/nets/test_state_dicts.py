"""The names and shapes of every network's weights are those that checkpoints and weights files have.

``state_dicts.json`` holds them in their order, by which a checkpoint's optimizer state knows them. A network gets its
entry by ``python -m tests.nets.test_state_dicts``; an entry that is there should never change.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import nn

from deblurlab.nets import BlindWiener, MSDeblur, NAFNet, PatchGAN, REDNet30, ResNet16, UNet16

GOLDEN = Path(__file__).with_name("state_dicts.json")
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "ResNet16": ResNet16,
    "UNet16": UNet16,
    "UNet16 residual": lambda: UNet16(residual=True),
    "UNet16 of two widths": lambda: UNet16(widths=(4, 8)),
    "REDNet30": REDNet30,
    "REDNet30 tanh": lambda: REDNet30(tanh=True),
    "MSDeblur of two blocks": lambda: MSDeblur(blocks=2),
    "MSDeblur of two blocks residual": lambda: MSDeblur(blocks=2, residual=True),
    "PatchGAN": PatchGAN,
    "BlindWiener": lambda: BlindWiener(sigma_max=3.0, hidden=8, widths=(8, 16), blocks=(1, 2, 1)),
    "NAFNet": lambda: NAFNet(width=8, encoder_blocks=[1, 2], middle_blocks=1, decoder_blocks=[1, 1]),
}


def shapes(network: nn.Module) -> dict[str, list[int]]:
    return {name: list(value.shape) for name, value in network.state_dict().items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_names_shapes_and_their_order(name: str) -> None:
    golden: dict[str, list[int]] = json.loads(GOLDEN.read_text())[name]
    network = NETWORKS[name]()
    assert list(shapes(network).items()) == list(golden.items())
    weights = [key for key, value in network.named_parameters()]
    assert weights == [key for key in golden if key in set(weights)]


if __name__ == "__main__":
    entries = (
        f'  "{name}": {{\n' + ",\n".join(f'    "{key}": {shape}' for key, shape in shapes(make()).items()) + "\n  }"
        for name, make in NETWORKS.items()
    )
    GOLDEN.write_text("{\n" + ",\n".join(entries) + "\n}\n")
