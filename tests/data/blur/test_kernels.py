import cv2
import numpy as np
import pytest

from deblurlab.data.blur.kernels import apply_kernel, gaussian_kernel, shake_kernel
from tests.pictures import picture


@pytest.mark.parametrize("seed", range(40))
def test_shake_kernels_are_centred_and_bounded(seed: int) -> None:
    rng = np.random.default_rng(seed)
    length = rng.uniform(1, 25)
    kernel = shake_kernel(length, rng)
    assert kernel.min() >= 0
    assert kernel.sum() == pytest.approx(1)
    offset = np.arange(len(kernel)) - len(kernel) // 2
    assert kernel.sum(axis=1) @ offset == pytest.approx(0, abs=1e-9)
    assert kernel.sum(axis=0) @ offset == pytest.approx(0, abs=1e-9)
    rows, columns = np.nonzero(kernel)
    assert length - 2 <= max(np.ptp(rows), np.ptp(columns)) <= length + 2


def test_blur_is_a_convolution_with_reflected_borders() -> None:
    pixels = picture(0, 50, 60)
    kernel = shake_kernel(11, np.random.default_rng(5))
    expected = cv2.filter2D(pixels.astype(np.float64), -1, kernel[::-1, ::-1], borderType=cv2.BORDER_REFLECT_101)
    np.testing.assert_array_equal(apply_kernel(pixels, kernel), np.rint(expected))


def test_gaussian_blur_is_opencvs() -> None:
    pixels = picture(1, 50, 60)
    expected = cv2.GaussianBlur(pixels, (0, 0), sigmaX=1.7).astype(int)
    assert np.abs(apply_kernel(pixels, gaussian_kernel(1.7)) - expected).max() <= 1
