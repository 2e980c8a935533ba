"""Every content loss against a closed form or a reference, image by image."""

from collections.abc import Callable
from functools import partial
from typing import Any

import kornia
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.losses import (
    L1,
    MSE,
    Charbonnier,
    FrequencyL1,
    LogCosh,
    MultiScale,
    PSNRLoss,
    WeightedSum,
    per_image,
    require_per_image,
)
from tests.tasks.test_wgan_gp import make


def images(height: int = 12, width: int = 10) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    restored, sharp = torch.rand(2, 3, 3, height, width, generator=generator).unbind(0)
    return restored * torch.tensor([0.2, 1.0, 3.0])[:, None, None, None], sharp  # images differ in their losses


def spectrum(restored: Tensor, sharp: Tensor) -> Tensor:
    transformed = np.fft.fft2((restored - sharp).double().numpy(), norm="ortho")
    return torch.from_numpy((np.abs(transformed.real) + np.abs(transformed.imag)) / 2)


REFERENCES: dict[str, tuple[nn.Module, Callable[[Tensor, Tensor], Tensor]]] = {
    "L1": (L1(), lambda x, y: F.l1_loss(x, y)),
    "MSE": (MSE(), lambda x, y: F.mse_loss(x, y)),
    "Charbonnier": (Charbonnier(epsilon=0.1), lambda x, y: torch.hypot(x - y, torch.tensor(0.1)).mean()),
    "PSNRLoss": (PSNRLoss(), lambda x, y: kornia.losses.psnr_loss(x, y, 1.0)),
    "FrequencyL1": (FrequencyL1(), lambda x, y: spectrum(x, y).mean()),
    "torch.nn.L1Loss": (per_image(nn.L1Loss()), lambda x, y: F.l1_loss(x, y)),
    "torch.nn.HuberLoss, sum": (
        per_image(nn.HuberLoss(reduction="sum")),
        lambda x, y: F.huber_loss(x, y, reduction="sum"),
    ),
    "kornia MS-SSIM": (per_image(kornia.losses.MS_SSIMLoss(alpha=0.84)), kornia.losses.MS_SSIMLoss(alpha=0.84)),
    "kornia SSIM": (per_image(kornia.losses.SSIMLoss(5)), kornia.losses.SSIMLoss(5)),
    "kornia Charbonnier": (per_image(kornia.losses.CharbonnierLoss()), kornia.losses.CharbonnierLoss("mean")),
    "MultiScale": (
        MultiScale(loss=L1(), scales=3),
        lambda x, y: sum(F.l1_loss(F.avg_pool2d(x, k), F.avg_pool2d(y, k)) for k in (1, 2, 4)) / 3,
    ),
    "WeightedSum": (
        WeightedSum(losses={"l1": L1(), "squared": nn.MSELoss()}, weights={"l1": 2.0, "squared": 0.5}),
        lambda x, y: 2 * F.l1_loss(x, y) + F.mse_loss(x, y) / 2,
    ),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_each_image_has_the_reference_s_loss(name: str) -> None:
    loss, reference = REFERENCES[name]
    restored, sharp = images(12, 8 if name == "MultiScale" else 10)
    expected = [float(reference(restored[i : i + 1], sharp[i : i + 1])) for i in range(len(sharp))]
    values = loss(restored, sharp)
    assert values.shape == (3,)
    assert values.tolist() == pytest.approx(expected, rel=1e-4)
    assert max(expected) > 1.02 * min(expected)
    require_per_image(loss)


@pytest.mark.parametrize(
    "loss", [Charbonnier(epsilon=0.1), PSNRLoss(), FrequencyL1()], ids=lambda loss: type(loss).__name__
)
def test_gradients_are_those_of_finite_differences(loss: nn.Module) -> None:
    restored, sharp = images(4, 5)
    assert torch.autograd.gradcheck(lambda x: loss(x, sharp.double()), restored.double().requires_grad_())


def test_equal_images_have_the_least_loss() -> None:
    _, sharp = images()
    for loss, least in (
        (L1(), 0.0),
        (MSE(), 0.0),
        (FrequencyL1(), 0.0),
        (Charbonnier(epsilon=0.1), 0.1),
        (PSNRLoss(), -80.0),
    ):
        assert loss(sharp, sharp).tolist() == pytest.approx([least] * 3)


def test_a_loss_that_validation_was_the_first_to_compute_can_be_trained_on() -> None:
    """Lightning validates in inference mode, whose tensors autograd refuses. The size is one of no other test."""
    restored, sharp = torch.rand(2, 1, 3, 23, 29).unbind()
    with torch.inference_mode():
        expected = FrequencyL1()(restored, sharp)
    loss = FrequencyL1()(restored.requires_grad_(), sharp)
    loss.sum().backward()
    torch.testing.assert_close(loss.detach(), expected)


def test_a_constant_error_is_one_frequency() -> None:
    """Its transform is the constant times the square root of the number of pixels, at a single frequency."""
    size, error = 16, 0.3
    sharp = torch.zeros(1, 3, size, size)
    assert float(FrequencyL1()(sharp + error, sharp)) == pytest.approx(error * size / size**2 / 2, rel=1e-4)


def test_the_parts_of_a_sum_are_logged() -> None:
    loss = WeightedSum(losses={"l1": L1(), "squared": MSE()}, weights={"l1": 2.0, "squared": 0.5})
    task, (restored, sharp) = make(), images(16, 16)
    task.loss = loss
    total, parts = task.loss_parts(restored, sharp)
    assert {name: float(value) for name, value in parts.items()} == pytest.approx(
        {"loss_l1": float(F.l1_loss(restored, sharp)), "loss_squared": float(F.mse_loss(restored, sharp))}
    )
    assert float(total) == pytest.approx(2 * float(parts["loss_l1"]) + float(parts["loss_squared"]) / 2)
    _, parts = task.content([restored], sharp)  # measured in [-1, 1], twice as far apart
    assert float(parts["loss_l1"]) == pytest.approx(2 * float(F.l1_loss(restored, sharp)))


def test_names_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"losses has l1 and weights has l2"):
        WeightedSum(losses={"l1": L1()}, weights={"l2": 1.0})


@pytest.mark.parametrize("scales", [0, -1, 1.5])
def test_a_number_of_scales_that_makes_no_sense_is_refused(scales: Any) -> None:
    with pytest.raises(ValueError, match=rf"scales of MultiScale must be a whole number from 1, got {scales}"):
        MultiScale(loss=L1(), scales=scales)


@pytest.mark.parametrize("epsilon", [0.0, -1e-3, float("nan")])
def test_an_epsilon_without_a_gradient_at_zero_is_refused(epsilon: float) -> None:
    with pytest.raises(ValueError, match=f"epsilon of Charbonnier must be positive, got {epsilon}"):
        Charbonnier(epsilon=epsilon)


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        (lambda x, y: (x - y).square().mean(), r"\(\)"),
        (partial(F.l1_loss, reduction="mean"), r"\(\)"),
        (lambda x, y: (x - y).abs(), r"\(2, 3, 64, 64\)"),
        (lambda x, y: 1.0, "float"),
    ],
)
def test_a_loss_of_the_whole_batch_is_refused_before_the_training(loss: Callable[..., Tensor], found: str) -> None:
    with pytest.raises(ValueError, match=rf"^model.loss, a function, must return one .* it returned {found}:"):
        require_per_image(loss)


def test_a_task_tries_its_loss_before_it_trains() -> None:
    task = make()
    task.loss = nn.PairwiseDistance()
    task.setup("test")
    with pytest.raises(ValueError, match="one value per image"):
        task.setup("fit")
    assert isinstance(make().loss, LogCosh)
