"""Folded networks compute what they compute unfolded."""

import pytest
import torch
from torch import Tensor, nn

from deblurlab.nets import REDNet30, ResNet16, UNet16


def run(network: nn.Module, blurred: Tensor) -> dict[str, Tensor]:
    """Output, gradients and state after two steps of training, and the output of evaluation after that."""
    network.train()
    found = {}
    for step in range(2):
        network.zero_grad()
        restored = network(blurred + step)
        restored.square().mean().backward()
        found[f"restored {step}"] = restored.detach()
    found |= {f"gradient of {name}": value.grad for name, value in network.named_parameters() if value.grad is not None}
    found |= {f"state {name}": value.clone() for name, value in network.state_dict().items()}
    found["evaluated"] = network.eval()(blurred).detach()
    return found


@pytest.mark.parametrize(
    ("network", "dtype", "tolerance"),
    [
        (REDNet30, torch.float64, 1e-9),
        (UNet16, torch.float64, 1e-9),
        (ResNet16, torch.float64, 1e-9),
        (REDNet30, torch.float32, 1e-3),
        (UNet16, torch.float32, 1e-3),
    ],
)
def test_folded_equals_plain(
    network: type[nn.Module], dtype: torch.dtype, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = network().to(dtype)
    state = {name: value.clone() for name, value in module.state_dict().items()}
    blurred = torch.rand(4, 3, 16, 8, dtype=dtype)
    plain = run(module, blurred)
    module.load_state_dict(state)
    monkeypatch.setattr(f"{network.__module__}.pays", lambda images, rows: True)
    folded = run(module, blurred)
    assert plain.keys() == folded.keys()
    # The bias of a convolution before a normalisation has rounding errors for a gradient: they are held to the largest.
    steepest = max(float(value.abs().max()) for name, value in plain.items() if name.startswith("gradient"))
    for name, value in plain.items():
        size = steepest if name.startswith("gradient") else float(value.abs().max())
        torch.testing.assert_close(folded[name], value, rtol=tolerance, atol=tolerance * size, msg=name)
