import numpy as np
import pytest
import torch
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from deblurlab.losses import LogCosh
from deblurlab.metrics import ImageScores, score
from deblurlab.metrics.image import psnr, ssim


@pytest.fixture
def images() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    sharp = torch.rand(6, 3, 24, 40)
    noise = torch.linspace(0.001, 0.5, 6)[:, None, None, None]
    return (sharp + noise * torch.randn_like(sharp)).clamp(0, 1), sharp


def test_ssim_agrees_with_scikit_image(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    restored, sharp = images
    for value, one, other in zip(ssim(restored, sharp), restored, sharp, strict=True):
        _, full = structural_similarity(
            one.double().numpy(),
            other.double().numpy(),
            channel_axis=0,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            full=True,
        )
        assert float(value) == pytest.approx(full[:, 5:-5, 5:-5].mean(), abs=1e-5)


def test_psnr_and_mse_agree_with_scikit_image(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    restored, sharp = images
    scores = score(restored, sharp, LogCosh())
    for row in range(len(sharp)):
        one, other = sharp[row].double().numpy(), restored[row].double().numpy()
        assert float(scores["psnr"][row]) == pytest.approx(peak_signal_noise_ratio(one, other, data_range=1), abs=1e-4)
        assert float(scores["mse"][row]) == pytest.approx(mean_squared_error(one, other), rel=1e-5)
        assert float(scores["mae"][row]) == pytest.approx(np.abs(one - other).mean(), rel=1e-5)


def test_scores_clamp_and_the_loss_does_not() -> None:
    sharp = torch.ones(1, 3, 16, 16)
    scores = score(sharp + 1, sharp, LogCosh())
    assert float(scores["mse"]) == 0
    assert float(scores["ssim"]) == pytest.approx(1)
    assert float(scores["loss"]) == pytest.approx(np.log(np.cosh(1)))


def test_means_do_not_depend_on_batching(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    whole, pieces = ImageScores(), ImageScores()
    whole.update(score(*images, LogCosh()), torch.ones(6, dtype=torch.bool))
    for start in range(0, 6, 4):
        part = [batch[start : start + 4] for batch in images]
        pieces.update(score(part[0], part[1], LogCosh()), torch.ones(len(part[0]), dtype=torch.bool))
    for name, value in whole.compute().items():
        torch.testing.assert_close(pieces.compute()[name], value)


def test_rows_that_fill_up_a_batch_do_not_count(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    restored, sharp = images
    padded, exact = ImageScores(), ImageScores()
    padded.update(score(restored, sharp, LogCosh()), torch.arange(6) < 4)
    exact.update(score(restored[:4], sharp[:4], LogCosh()), torch.ones(4, dtype=torch.bool))
    assert padded.compute() == exact.compute()


def test_an_image_without_error_is_left_out_of_psnr_and_counted() -> None:
    sharp = torch.rand(3, 3, 16, 16)
    restored = sharp.clone()
    restored[0] = (restored[0] - 0.1).clamp(0, 1)
    scores = ImageScores()
    scores.update(score(restored, sharp, LogCosh()), torch.ones(3, dtype=torch.bool))
    means = scores.compute()
    assert int(means["infinite_psnr"]) == 2
    assert int(means["images"]) == 3
    assert float(means["psnr"]) == pytest.approx(float(psnr(restored[:1], sharp[:1])))
    assert float(means["mse"]) == pytest.approx(float((restored[0] - sharp[0]).square().mean()) / 3)


def test_ssim_of_an_image_smaller_than_its_window_is_an_error() -> None:
    small = torch.zeros(1, 3, 11, 10)
    with pytest.raises(ValueError, match=r"11x10 .*SSIM needs at least 11x11 pixels"):
        ssim(small, small)


def test_infinite_values_of_further_scores_are_left_out_and_counted() -> None:
    restored = torch.rand(3, 3, 16, 16)
    scores = ImageScores(["mine", "other"])
    further = {"mine": torch.tensor([10.0, torch.inf, 20.0]), "other": torch.ones(3)}
    scores.update(score(restored, restored, LogCosh()) | further, torch.ones(3, dtype=torch.bool))
    means = scores.compute()
    assert (float(means["mine"]), int(means["infinite_mine"])) == (15, 1)
    assert (float(means["other"]), int(means["infinite_other"])) == (1, 0)
