"""PSNR and SSIM of aligned images, against the formulas of RealBlur's authors in NumPy, OpenCV and scikit-image."""

import sys
from typing import Any
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
import skimage
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from deblurlab.interfaces import Pair
from deblurlab.losses import LogCosh
from deblurlab.metrics.aligned import AlignedScore, Alignment
from deblurlab.metrics.further_metrics import further_metrics
from deblurlab.metrics.image import psnr, ssim
from deblurlab.metrics.scores import ALIGNED
from deblurlab.nets import UNet16
from deblurlab.tasks.restoration import TrainedNetwork

SMALL_TURN = np.array([[1.001, -0.004, 3.4], [0.004, 0.999, -2.3], [2e-6, -1e-6, 1]])


def photograph() -> Any:
    return skimage.data.astronaut()[100:340, 90:390].astype(np.float32) / 255


def moved(pixels: Any, *, brightness: float = 1.0) -> Any:
    """The photograph as another camera sees it, which is slightly turned, shifted and darker."""
    height, width, _ = pixels.shape
    return brightness * cv2.warpPerspective(pixels, SMALL_TURN, (width, height), flags=cv2.INTER_CUBIC)


def batch(*pixels: Any) -> Tensor:
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2)


def by_its_authors(image: Any, sharp: Any) -> tuple[float, float]:
    """PSNR and SSIM by the formulas of the authors, with all of ECC's hundred steps."""
    image = (sharp * image).sum() / (image * image).sum() * image
    grey = [cv2.cvtColor(side.astype(np.float32), cv2.COLOR_RGB2GRAY) for side in (sharp, image)]
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 0)
    _, warp = cv2.findTransformECC(*grey, np.eye(3, dtype=np.float32), cv2.MOTION_HOMOGRAPHY, until, None, 5)
    size = (sharp.shape[1], sharp.shape[0])
    warped = cv2.warpPerspective(
        image, warp, size, flags=cv2.INTER_CUBIC + cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT
    )
    mask = cv2.warpPerspective(np.ones_like(image), warp, size, flags=cv2.INTER_NEAREST + cv2.WARP_INVERSE_MAP)
    warped, sharp = warped * mask, sharp * mask
    error = ((sharp - warped) ** 2).sum() / mask.sum()
    _, values = structural_similarity(
        sharp, warped, channel_axis=2, gaussian_weights=True, use_sample_covariance=False, data_range=1.0, full=True
    )
    inner = np.s_[5:-5, 5:-5]
    return 10 * np.log10(1 / error), ((values * mask)[inner].sum((0, 1)) / mask[inner].sum((0, 1))).mean()


def aligned_score(name: str) -> AlignedScore:
    return AlignedScore(name, Alignment([name]))


def test_each_image_has_the_value_of_the_authors_formulas() -> None:
    sharp = photograph()
    images = [moved(sharp, brightness=0.9), cv2.GaussianBlur(moved(sharp), (0, 0), 1.5)]
    expected = [by_its_authors(image.clip(0, 1), sharp) for image in images]
    restored, sharps = batch(*images), batch(sharp, sharp)
    assert aligned_score("aligned_psnr")(restored, sharps).tolist() == pytest.approx(
        [e[0] for e in expected], abs=0.001
    )
    assert aligned_score("aligned_ssim")(restored, sharps).tolist() == pytest.approx([e[1] for e in expected], abs=1e-4)


def test_a_moved_and_darker_image_scores_as_what_it_shows() -> None:
    sharp = photograph()
    restored, sharps = batch(moved(sharp, brightness=0.9)), batch(sharp)
    assert float(psnr(restored, sharps)) < 20 < 33 < float(aligned_score("aligned_psnr")(restored, sharps))
    assert float(ssim(restored, sharps)) < 0.6 < 0.97 < float(aligned_score("aligned_ssim")(restored, sharps))


@pytest.mark.parametrize("name", ["aligned_psnr", "aligned_ssim"])
def test_an_image_that_cannot_be_aligned_is_scored_as_it_is(name: str, caplog: pytest.LogCaptureFixture) -> None:
    grey, sharp = torch.full((1, 3, 64, 80), 0.5), batch(photograph()[:64, :80])
    scaled = grey * (grey * sharp).sum() / grey.square().sum()
    expected = {"aligned_psnr": psnr, "aligned_ssim": ssim}[name](scaled, sharp)
    aligned = aligned_score(name)
    for _ in range(3):
        assert float(aligned(grey, sharp)) == pytest.approx(float(expected), abs=1e-4)
    told = f"metrics=[{name}]: an image of 80x64 cannot be aligned; such images are scored as they are"
    assert caplog.messages == [told]
    assert float(aligned_score(name)(torch.zeros_like(grey), sharp)) < 20  # black has no brightness to match


def test_no_images_have_no_scores() -> None:
    assert aligned_score("aligned_psnr")(torch.zeros(0, 3, 32, 32), torch.zeros(0, 3, 32, 32)).shape == (0,)


def test_without_opencv_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ValueError, match=r"metrics=\[aligned_ssim\] needs OpenCV: pip install 'deblurlab\[align\]'"):
        aligned_score("aligned_ssim")


def test_both_scores_align_each_image_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And they are those of either score alone, for one batch after another."""
    sharp = batch(photograph()[:96, :128])
    batches = [batch(brightness * moved(photograph())[:96, :128]) for brightness in (1.0, 0.7)]
    expected = [[float(aligned_score(name)(images, sharp)) for name in ALIGNED] for images in batches]
    counted = Mock(wraps=cv2.findTransformECC)
    monkeypatch.setattr(cv2, "findTransformECC", counted)
    both = further_metrics(ALIGNED)
    assert [[float(metric(images, sharp)) for metric in both.values()] for images in batches] == expected
    assert counted.call_count == len(batches)


def test_a_test_with_both_scores_aligns_each_image_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Mock(wraps=cv2.findTransformECC)
    monkeypatch.setattr(cv2, "findTransformECC", counted)
    task = TrainedNetwork(UNet16(widths=[4, 8]), LogCosh())
    task.score_further(further_metrics(ALIGNED))
    sharp = batch(photograph()[:64, :80], photograph()[64:128, :80])
    with torch.no_grad():
        task.eval().test_step(Pair(blurred=0.9 * sharp, sharp=sharp, valid=torch.ones(2, dtype=torch.bool)), 0)
    assert counted.call_count == 2 * len(sharp)  # the restored and the blurred images


def test_equal_images_have_no_error_of_rounding() -> None:
    """ECC moves some of them by a little."""
    noise = np.random.default_rng(0).random((40, 48, 48, 3), dtype=np.float32)
    images = batch(*noise)
    assert aligned_score("aligned_psnr")(images, images.clone()).isinf().all()
    torch.testing.assert_close(aligned_score("aligned_ssim")(images, images.clone()), torch.ones(40))
