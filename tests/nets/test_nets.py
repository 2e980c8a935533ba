from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from deblurlab.interfaces import pyramid
from deblurlab.nets import MSDeblur, PatchGAN, REDNet30, ResNet16, UNet16, keras

NETWORKS = (ResNet16, UNet16, REDNet30)


@pytest.mark.parametrize(
    ("module", "trainable", "statistics"),
    [
        (ResNet16(), 7_360_396, 5_638),
        (UNet16(), 482_067, 0),
        (REDNet30(), 1_076_739, 3_840),
        (REDNet30(tanh=True), 1_076_739, 3_840),
        (MSDeblur(blocks=19), 11_928_961, 14_592),
        (MSDeblur(blocks=5), 3_311_233, 3_840),
        (PatchGAN(), 2_766_657, 0),
    ],
)
def test_parameter_counts_are_the_studys(module: nn.Module, trainable: int, statistics: int) -> None:
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


@pytest.mark.parametrize("make", [*NETWORKS, lambda: MSDeblur(blocks=5), PatchGAN])
def test_initialised_as_keras_does(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    for module in make().modules():
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


def test_tanh_rednet30_works_in_signed_images() -> None:
    """With no weights it is tanh of its input, both in [-1, 1]."""
    blurred = torch.rand(1, 3, 9, 9)
    restored = _zero_convolutions(REDNet30(tanh=True))(blurred)
    torch.testing.assert_close(2 * restored - 1, torch.tanh(2 * blurred - 1))


def test_msdeblur_restores_three_scales_from_coarse_to_fine() -> None:
    network = MSDeblur(blocks=1)
    seen: list[torch.Tensor] = []
    for branch in network.branches:
        branch.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    blurred = torch.rand(2, 3, 48, 64)
    scales = network(blurred)
    assert [tuple(scale.shape) for scale in scales] == [(2, 3, 48, 64), (2, 3, 24, 32), (2, 3, 12, 16)]
    assert all(scale.min() >= 0 and scale.max() <= 1 for scale in scales)
    for features, factor in zip(seen, (4, 2, 1), strict=True):
        expected = nn.functional.avg_pool2d(2 * blurred - 1, factor)
        torch.testing.assert_close(features[:, -3:], expected)
    assert [features.shape[1] for features in seen] == [3, 64, 64]


@pytest.mark.parametrize("kernel", [3, 5])
def test_keras_padding_is_tensorflow_s(kernel: int) -> None:
    """The first output sees kernel // 2 - 1 rows of zeros above; a transposed layer is the adjoint."""
    torch.manual_seed(0)
    down = keras.halving_conv(2, 3, kernel, "keras").double()
    up = keras.doubling_conv(3, 2, kernel, "keras").double()
    up.load_state_dict({"weight": down.weight, "bias": torch.zeros(2)})
    fine, coarse = torch.randn(1, 2, 8, 12).double(), torch.randn(1, 3, 4, 6).double()
    above = kernel // 2 - 1
    seen = fine[0, :, : kernel - above, : kernel - above]
    first = (seen * down.weight[:, :, above:, above:]).sum(dim=(1, 2, 3)) + down.bias
    torch.testing.assert_close(down(fine)[0, :, 0, 0], first)
    linear = down(fine) - down.bias[:, None, None]
    torch.testing.assert_close((linear * coarse).sum(), (fine * up(coarse)).sum())


def test_msdeblur_reduces_blurred_and_sharp_images_bilinearly() -> None:
    """``interpolate`` without antialiasing is what ``tf.image.resize`` computes."""
    network, images = MSDeblur(blocks=1, quarter="bilinear"), torch.rand(2, 3, 48, 64)
    for factor, found in zip((1, 2, 4), network.pyramid(images), strict=True):
        expected = F.interpolate(images, scale_factor=1 / factor, mode="bilinear", align_corners=False)
        torch.testing.assert_close(found, expected)
    for one, other in zip(pyramid(network, images, network(images)), network.pyramid(images), strict=True):
        assert torch.equal(one, other)


def test_an_unknown_padding_or_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match="padding must be symmetric or keras, got same"):
        ResNet16(padding="same")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="quarter must be average or bilinear, got cubic"):
        MSDeblur(blocks=1, quarter="cubic")  # type: ignore[arg-type]


@pytest.mark.parametrize("network", [UNet16(residual=True), MSDeblur(blocks=1, residual=True)])
def test_a_residual_network_starts_as_the_identity(network: nn.Module) -> None:
    blurred = torch.rand(2, 3, 16, 24)
    output = network(blurred)
    for image in output if isinstance(output, list) else [output]:
        torch.testing.assert_close(image, F.avg_pool2d(blurred, blurred.shape[-1] // image.shape[-1]))


def test_msdeblur_refuses_a_size_that_does_not_halve_twice() -> None:
    with pytest.raises(ValueError, match=r"MSDeblur .* multiples of 4, got 34x32"):
        MSDeblur(blocks=1)(torch.rand(1, 3, 34, 32))


def test_the_critic_scores_each_image_alone() -> None:
    torch.manual_seed(0)
    critic, images = PatchGAN().double(), torch.rand(3, 3, 32, 32).double()
    assert critic(images).shape == (3,)
    torch.testing.assert_close(critic(images)[1:2], critic(images[1:2]))


def test_the_critic_s_map_is_4x4_on_cifar10_and_padded_as_tensorflow_pads() -> None:
    """A stride of 1 pads one row above and two below: the last conv's first output sees rows -1 to 2."""
    critic, maps = PatchGAN(), []
    critic.output.register_forward_hook(lambda module, inputs, output: maps.append((inputs[0], output)))
    critic(torch.rand(1, 3, 32, 32))
    ((features, scores),) = maps
    assert (features.shape, scores.shape) == ((1, 512, 4, 4), (1, 1, 4, 4))
    weight, bias = critic.output[1].weight, critic.output[1].bias
    torch.testing.assert_close(scores[0, 0, 0, 0], (features[0, :, :3, :3] * weight[0, :, 1:, 1:]).sum() + bias[0])


def test_the_critic_normalises_the_channels_of_each_position() -> None:
    critic, outputs = PatchGAN(), []
    critic.norms[0].register_forward_hook(lambda module, inputs, output: outputs.append((inputs[0], output)))
    critic(torch.rand(2, 3, 32, 32))
    ((features, normalised),) = outputs
    spread = features.var(dim=1, correction=0, keepdim=True)
    expected = (features - features.mean(dim=1, keepdim=True)) / (spread + 1e-3).sqrt()
    torch.testing.assert_close(normalised, expected, rtol=1e-4, atol=1e-5)
