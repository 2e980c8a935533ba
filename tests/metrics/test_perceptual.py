"""LPIPS and DISTS: torchmetrics' own numbers, image by image, with backbones whose weights are random."""

from typing import Any
from urllib.error import URLError

import pytest
import torch
from torch import nn
from torchmetrics.functional.image import (
    deep_image_structure_and_texture_similarity,
    learned_perceptual_image_patch_similarity,
)
from torchvision import models

from deblurlab.interfaces import Pair
from deblurlab.losses import LogCosh
from deblurlab.metrics.perceptual import perceptual
from deblurlab.metrics.scores import PERCEPTUAL
from deblurlab.nets import UNet16
from deblurlab.tasks.restoration import TrainedNetwork

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.fixture
def random_backbones(monkeypatch: pytest.MonkeyPatch) -> None:
    """The layers of AlexNet and VGG16 below their classifiers, with random weights, the same ones each time."""

    def alexnet(*_: Any, **__: Any) -> nn.Module:
        with torch.device("meta"):
            features = models.AlexNet().features
        return initialised(features)

    def vgg16(*_: Any, **__: Any) -> nn.Module:
        with torch.device("meta"):
            features = models.vgg16(weights=None).features
        return initialised(features)

    def initialised(features: nn.Module) -> nn.Module:
        network, generator = nn.Module(), torch.Generator().manual_seed(0)
        network.features = features.to_empty(device="cpu")
        for weight in network.parameters():
            weight.data.normal_(0, weight[0].numel() ** -0.5, generator=generator)
        return network

    monkeypatch.setattr("torchvision.models.alexnet", alexnet)
    monkeypatch.setattr("torchmetrics.functional.image.dists.vgg16", vgg16)


def images() -> tuple[torch.Tensor, torch.Tensor]:
    restored, sharp = torch.rand(2, 2, 3, 64, 64, generator=torch.Generator().manual_seed(0)).unbind(0)
    return restored, sharp


@pytest.mark.parametrize("name", PERCEPTUAL)
def test_each_image_has_torchmetrics_s_value(name: str, random_backbones: None) -> None:
    restored, sharp = images()
    if name == "lpips":
        expected = [
            float(learned_perceptual_image_patch_similarity(x[None], y[None], normalize=True))
            for x, y in zip(restored, sharp, strict=True)
        ]
    else:
        expected = [
            float(deep_image_structure_and_texture_similarity(x[None], y[None]).detach())
            for x, y in zip(restored, sharp, strict=True)
        ]
    metric = perceptual(name)
    assert metric(restored, sharp).tolist() == pytest.approx(expected, rel=1e-4)
    assert metric(restored[:1], sharp[:1]).shape == (1,)
    assert metric(sharp, sharp).tolist() == pytest.approx([0, 0], abs=1e-4)


def test_a_test_scores_with_it_and_no_checkpoint_holds_it() -> None:
    class Constant(nn.Module):
        def forward(self, restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
            return (restored - sharp).abs().amax(dim=(1, 2, 3))

    task = TrainedNetwork(UNet16(widths=(4, 8)), LogCosh()).eval()
    before = set(task.state_dict())
    task.score_further({"largest": Constant()})
    restored, sharp = images()
    scores = task.test_step(Pair(restored, sharp, torch.ones(2, dtype=torch.bool)), 0)
    assert scores["blurred"]["largest"].tolist() == pytest.approx((restored - sharp).abs().flatten(1).amax(1).tolist())
    assert "largest" in scores["restored"]
    assert float(task.test_blurred_scores.compute()["largest"]) == pytest.approx(
        float(scores["blurred"]["largest"].mean())
    )
    assert set(task.state_dict()) == before


def test_offline_says_what_is_missing_and_where_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("torchvision.models.alexnet", offline)
    with pytest.raises(
        ValueError, match=r"metrics=\[lpips\] needs the weights of AlexNet, 233 MB, which .*folder checkpoints of "
    ):
        perceptual("lpips")
