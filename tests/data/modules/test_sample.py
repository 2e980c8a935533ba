import pytest
import torch

from deblurlab.data import Sample


def test_photographs_of_the_splits_differ_and_patches_are_theirs() -> None:
    import skimage.data

    data = Sample(batch_size=16, sigma_range=(1.0, 3.0))
    motorcycle = torch.from_numpy(skimage.data.stereo_motorcycle()[0]).permute(2, 0, 1)
    test = data.images("test")
    assert test.shape == (15 * 23, 3, 32, 32)
    torch.testing.assert_close(test[24], motorcycle[:, 32:64, 32:64])
    sizes = [len(data.images(split)) for split in ("train", "val", "test")]
    assert sizes[0] > 2000
    assert min(sizes) > 100


def test_every_patch_is_visibly_blurred() -> None:
    pair = Sample(batch_size=16, sigma_range=(1.0, 3.0)).examples("test", range(32))
    assert ((pair.blurred - pair.sharp).abs().flatten(1).amax(dim=1) > 2 / 255).all()


def test_patches_without_an_ssim_are_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match=r"data\.patch must be a whole number of pixels from 11 to 300, got 10"):
        Sample(batch_size=16, sigma_range=(1.0, 3.0), patch=10)


@pytest.mark.parametrize("sigma_range", [(1.0, 1.0), (-1.0, 2.0), (0.0, float("inf")), (0.0, float("nan"))])
def test_what_is_no_range_of_sigma_is_refused(sigma_range: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"data\.sigma_range must be \[low, high\]"):
        Sample(batch_size=4, sigma_range=sigma_range)
