import pytest
import torch
from torch import nn

from deblurlab.nets import REDNet30, ResNet16, UNet16

NETWORKS = (ResNet16, UNet16, REDNet30)


@pytest.mark.parametrize(
    ("network", "trainable", "statistics"),
    [(ResNet16, 7_360_396, 5_638), (UNet16, 482_067, 0), (REDNet30, 1_076_739, 3_840)],
)
def test_parameter_counts_are_the_studys(network: type[nn.Module], trainable: int, statistics: int) -> None:
    module = network()
    assert sum(parameter.numel() for parameter in module.parameters()) == trainable
    assert sum(buffer.numel() for name, buffer in module.named_buffers() if "running" in name) == statistics


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("size", [(32, 32), (96, 128), (8, 24)])
def test_restores_any_size_that_the_structure_allows(network: type[nn.Module], size: tuple[int, int]) -> None:
    blurred = torch.rand(2, 3, *size)
    assert network()(blurred).shape == blurred.shape


@pytest.mark.parametrize("network", [ResNet16, UNet16])
def test_a_size_that_does_not_halve_is_refused(network: type[nn.Module]) -> None:
    with pytest.raises(ValueError, match=r"multiples of 8, got 36x32\. Pad or crop"):
        network()(torch.rand(1, 3, 36, 32))


def test_rednet30_takes_odd_sizes() -> None:
    assert REDNet30()(torch.rand(1, 3, 13, 7)).shape == (1, 3, 13, 7)


@pytest.mark.parametrize("network", NETWORKS)
def test_initialised_as_keras_does(network: type[nn.Module]) -> None:
    torch.manual_seed(0)
    for module in network().modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            assert module.bias is None or not module.bias.any()
            area = module.kernel_size[0] * module.kernel_size[1]
            limit = (6 / (area * (module.in_channels + module.out_channels))) ** 0.5
            assert module.weight.abs().max() <= limit
            if module.weight.numel() > 1000:
                assert float(module.weight.detach().std()) == pytest.approx(limit / 3**0.5, rel=0.1)
        if isinstance(module, nn.BatchNorm2d):
            assert (module.eps, module.momentum) == (1e-3, 0.01)


def _zero_convolutions(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.zeros_(module.weight)
    return network


def test_rednet30_adds_its_input_before_the_last_elu() -> None:
    blurred = torch.randn(1, 3, 9, 9)
    torch.testing.assert_close(_zero_convolutions(REDNet30())(blurred), nn.functional.elu(blurred))


def test_unet16_ends_in_a_relu() -> None:
    network = UNet16()
    nn.init.constant_(network.output.bias, -100.0)
    assert not network(torch.rand(1, 3, 16, 16)).any()


def test_rednet30_skips_join_mirrored_blocks() -> None:
    """A decoder block's input changes with exactly the encoder blocks that SPEC joins to the blocks before it."""
    network = REDNet30().eval()
    received: list[bool] = []
    for block in network.decoder:
        block.register_forward_hook(lambda module, inputs, output: received.append(inputs[1] is not None))
    encoded: list[torch.Tensor] = []
    joined: list[torch.Tensor] = []
    for block in network.encoder:
        block.register_forward_hook(lambda module, inputs, output: encoded.append(output))
    for block in network.decoder:
        block.register_forward_hook(lambda module, inputs, output: joined.append(inputs[1]))
    network(torch.rand(1, 3, 8, 8))
    assert received == [index % 2 == 1 for index in range(15)]
    for index in range(1, 15, 2):
        assert joined[index] is encoded[14 - index]
