"""Folded networks compute what they compute unfolded, and stay folded from their input to their output."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from deblurlab.interfaces import as_scales
from deblurlab.nets import MSDeblur, NAFNet, REDNet30, ResNet16, UNet16
from deblurlab.nets.folding import fold_rows, folded, networks

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "REDNet30": REDNet30,
    "REDNet30 tanh": lambda: REDNet30(tanh=True),
    "UNet16": UNet16,
    "UNet16 residual": lambda: UNet16(residual=True),
    "UNet16 of two widths": lambda: UNet16(widths=(4, 8)),
    "ResNet16": ResNet16,
    "MSDeblur": lambda: MSDeblur(blocks=2),
    "MSDeblur residual": lambda: MSDeblur(blocks=1, residual=True),
}


def all_scales(restored: Tensor | list[Tensor]) -> Tensor:
    return torch.cat([images.flatten() for images in as_scales(restored)])


def run(network: nn.Module, blurred: Tensor) -> dict[str, Tensor]:
    """Output, gradients and state after two steps of training, and the output of evaluation after that."""
    network.train()
    found = {}
    for step in range(2):
        network.zero_grad()
        restored = all_scales(network(blurred + step))
        restored.square().mean().backward()
        found[f"restored {step}"] = restored.detach()
    found |= {f"gradient of {name}": value.grad for name, value in network.named_parameters() if value.grad is not None}
    found |= {f"state {name}": value.clone() for name, value in network.state_dict().items()}
    found["evaluated"] = all_scales(network.eval()(blurred)).detach()
    return found


@pytest.mark.parametrize(
    ("name", "dtype", "tolerance"),
    [
        *((name, torch.float64, 1e-9) for name in NETWORKS),
        *((name, torch.float32, 1e-3) for name in ("REDNet30", "UNet16")),  # the others amplify float32's rounding
    ],
)
def test_folded_equals_plain(name: str, dtype: torch.dtype, tolerance: float) -> None:
    torch.manual_seed(0)
    module = NETWORKS[name]().to(dtype)
    state = {name: value.clone() for name, value in module.state_dict().items()}
    blurred = torch.rand(4, 3, 16, 8, dtype=dtype)
    plain = run(module, blurred)
    module.load_state_dict(state)
    fold_rows(module)
    ours = run(module, blurred)
    assert plain.keys() == ours.keys()
    # The bias of a convolution before a normalisation has rounding errors for a gradient: they are held to the largest.
    steepest = max(float(value.abs().max()) for name, value in plain.items() if name.startswith("gradient"))
    for name, value in plain.items():
        size = steepest if name.startswith("gradient") else float(value.abs().max())
        torch.testing.assert_close(ours[name], value, rtol=tolerance, atol=tolerance * size, msg=name)


def test_a_network_that_pads_as_keras_folds_as_far_as_its_padding() -> None:
    torch.manual_seed(0)
    network, blurred = ResNet16(padding="keras").double().eval(), torch.rand(2, 3, 16, 8).double()
    expected = network(blurred)
    fold_rows(network)
    torch.testing.assert_close(network(blurred), expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_stays_folded_from_its_first_layer_to_its_last(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a network, or a branch of MSDeblur, calls on the way has a form for folded rows."""
    calls = []
    for module, function in ((networks, "fold"), (networks, "unfold"), (folded, "unfold")):
        original = getattr(module, function)
        note = f"{module.__name__.split('.')[-1]}.{function}"
        monkeypatch.setattr(
            module, function, lambda *a, original=original, note=note: calls.append(note) or original(*a)
        )
    network = NETWORKS[name]()
    fold_rows(network)
    network(torch.rand(1, 3, 16, 8))
    assert calls == ["networks.fold", "networks.unfold"] * (3 if isinstance(network, MSDeblur) else 1)


def test_networks_are_found_inside_of_others_and_a_second_call_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = networks.fold
    monkeypatch.setattr(networks, "fold", lambda *a: calls.append(a) or original(*a))
    outer = nn.Sequential(UNet16(widths=(4, 8)), nn.Sequential(REDNet30()))
    blurred = torch.rand(1, 3, 8, 8)
    expected = outer.eval()(blurred)
    fold_rows(outer)
    fold_rows(outer)
    torch.testing.assert_close(outer(blurred), expected, rtol=1e-3, atol=1e-4)
    assert [rows for _, rows in calls] == [2, 2]


def test_heights_that_are_no_multiple_and_other_networks_stay_as_they_are() -> None:
    network, other = REDNet30().eval(), NAFNet(width=4, encoder_blocks=[1], middle_blocks=1, decoder_blocks=[1]).eval()
    odd, even = torch.rand(1, 3, 13, 7), torch.rand(1, 3, 16, 16)
    expected = network(odd), other(even)
    fold_rows(network)
    fold_rows(other)
    assert torch.equal(network(odd), expected[0])
    assert torch.equal(other(even), expected[1])


def test_a_folded_network_refuses_the_sizes_that_it_refused() -> None:
    network = ResNet16()
    fold_rows(network)
    with pytest.raises(ValueError, match=r"multiples of 8, got 36x32"):
        network(torch.rand(1, 3, 36, 32))
