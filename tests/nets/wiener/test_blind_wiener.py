"""The network as a whole; no test needs trained weights."""

import numpy as np
import pytest
import torch
from torch import Tensor

from deblurlab.data.blur.gaussian import gaussian_blur, gaussian_kernels
from deblurlab.nets import BlindWiener
from deblurlab.nets.wiener import deconvolution
from deblurlab.nets.wiener.deconvolution import deconvolve


def small(*, refine: bool = True) -> BlindWiener:
    torch.manual_seed(0)
    return BlindWiener(sigma_max=3.0, hidden=8, widths=(8, 16), blocks=(1, 1, 1), refine=refine)


@pytest.fixture
def disturbed() -> BlindWiener:
    """A network of which no layer is zero any more, as training leaves it."""
    network = small()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    return network


def certain(network: BlindWiener, sigma: float) -> None:
    """Have the network estimate this sigma, and be sure of it, whatever it sees."""
    share = torch.tensor(sigma / network.estimator.sigma_max)
    with torch.no_grad():
        network.estimator.sigma.weight.zero_()
        network.estimator.sigma.bias.copy_(torch.tensor([float(torch.logit(share)) / 2, -8.0]))


@pytest.mark.parametrize("size", [(32, 32), (4, 8), (36, 20), (44, 100)])
def test_restores_any_size_that_halves_twice(size: tuple[int, int], disturbed: BlindWiener) -> None:
    restored = disturbed(torch.rand(2, 3, *size))
    assert restored.shape == (2, 3, *size)
    assert restored.isfinite().all()


def test_a_size_that_does_not_halve_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"BlindWiener .* multiples of 4, got 33x32"):
        small()(torch.rand(1, 3, 33, 32))


def test_an_image_that_needs_nothing_gets_nothing(disturbed: BlindWiener) -> None:
    certain(disturbed, 0.2)
    images = torch.rand(2, 3, 32, 32)
    assert (disturbed(images) - images).abs().max() < 1e-5


def test_the_correction_is_in_units_of_the_expected_error(disturbed: BlindWiener) -> None:
    images = torch.rand(2, 3, 32, 32)
    estimate = disturbed.estimate(images)
    found = deconvolve(images, estimate, disturbed.radius)
    correction = (disturbed(images) - found.images) / found.error[:, None, None, None]
    seen = torch.cat((found.images.clamp(-0.1, 1.1), images, found.bold.clamp(-0.2, 1.2)), dim=1)
    assert disturbed.refinement is not None
    torch.testing.assert_close(correction, disturbed.refinement(seen, estimate.features), rtol=1e-3, atol=1e-3)


def test_it_starts_as_the_filter_alone() -> None:
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(small()(images), small(refine=False)(images))


def test_every_weight_gets_a_gradient(disturbed: BlindWiener) -> None:
    disturbed(torch.rand(2, 3, 32, 32)).square().mean().backward()
    without = [name for name, weight in disturbed.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert without == []


@pytest.mark.parametrize("sigma", [0.05, 0.3, 1.0, 3.0])
def test_gradients_are_finite_at_any_blur_also_of_a_flat_image(sigma: float, disturbed: BlindWiener) -> None:
    certain(disturbed, min(sigma, 2.999))
    images = torch.stack((torch.zeros(3, 32, 32), torch.ones(3, 32, 32), torch.rand(3, 32, 32)))
    disturbed(images).square().mean().backward()
    assert all(bool(weight.grad.isfinite().all()) for weight in disturbed.parameters() if weight.grad is not None)


def test_an_image_is_restored_by_itself(disturbed: BlindWiener) -> None:
    images = torch.rand(3, 3, 16, 24)
    torch.testing.assert_close(disturbed(images)[1:2], disturbed(images[1:2]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sigma", [0.7, 1.5])
def test_the_middle_of_a_part_is_that_of_the_whole_with_its_estimate(sigma: float, disturbed: BlindWiener) -> None:
    kernel = torch.from_numpy(gaussian_kernels(np.array([sigma]), 2 * disturbed.radius + 1))
    images = gaussian_blur((255 * torch.rand(1, 3, 128, 160)).round(), kernel) / 255
    certain(disturbed, sigma)
    with torch.no_grad():
        estimate = disturbed.estimate(images)
        whole, part = disturbed(images), disturbed(images[..., 8:120, 20:132], estimate)
    difference = (part - whole[..., 8:120, 20:132])[..., 40:-40, 40:-40]
    assert difference.abs().max() < 1 / 255


def test_the_filter_is_float32_under_autocast(disturbed: BlindWiener, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    original = deconvolution.rgb
    monkeypatch.setattr(deconvolution, "rgb", lambda images: seen.append(images) or original(images))
    images = torch.rand(2, 3, 32, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        restored = disturbed(images)
    assert {one.dtype for one in seen} == {torch.float32}
    assert restored.dtype == torch.float32
    torch.testing.assert_close(restored, disturbed(images), rtol=0, atol=0.05)


def test_sigma_can_be_asked_for(disturbed: BlindWiener) -> None:
    images = torch.rand(5, 3, 32, 32)
    estimated = disturbed.estimate_sigma(images)
    assert estimated.shape == (5,)
    assert ((estimated > 0) & (estimated < 3)).all()
    certain(disturbed, 1.5)
    assert disturbed.estimate_sigma(images).tolist() == pytest.approx([1.5] * 5)


def test_the_size_of_model_blind_wiener() -> None:
    network = BlindWiener(sigma_max=3.0, hidden=128, widths=(48, 96), blocks=(1, 2, 1))
    assert sum(weight.numel() for weight in network.parameters()) == 694_478
