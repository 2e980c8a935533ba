import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deblurlab.data.blur.gaussian import gaussian_blur, gaussian_kernels, kernel_size


@given(st.floats(1e-3, 3.0), st.integers(10, 40), st.integers(10, 40), st.integers(0, 2**32 - 1))
def test_equals_opencv_bit_for_bit(sigma: float, height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    expected = cv2.GaussianBlur(image, (0, 0), sigmaX=sigma)
    kernels = torch.from_numpy(gaussian_kernels(np.array([sigma]), 19))
    blurred = gaussian_blur(torch.from_numpy(image).permute(2, 0, 1)[None], kernels)
    np.testing.assert_array_equal(blurred[0].permute(1, 2, 0).numpy(), expected)


def test_each_image_of_a_batch_gets_its_own_blur() -> None:
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (5, 3, 32, 32), dtype=np.uint8))
    kernels = torch.from_numpy(gaussian_kernels(rng.uniform(0, 3, 5), 19))
    together = gaussian_blur(images, kernels)
    for row in range(5):
        torch.testing.assert_close(gaussian_blur(images[row : row + 1], kernels[row : row + 1])[0], together[row])


@given(st.floats(0, 10))
def test_kernels_sum_to_one_and_are_symmetric(sigma: float) -> None:
    kernel = gaussian_kernels(np.array([sigma]), 61)[0]
    assert kernel.sum() == 256
    assert (kernel == kernel[::-1]).all()
    assert np.count_nonzero(kernel) <= int(kernel_size(sigma))


def test_bfloat16_products_give_the_same_bits() -> None:
    """A TPU multiplies float32 matrices in bfloat16 passes: every factor must survive the cast."""
    rng = np.random.default_rng(0)
    kernels = torch.from_numpy(gaussian_kernels(rng.uniform(0, 3, 64), 19))
    images = torch.from_numpy(rng.integers(0, 256, (64, 3, 32, 32), dtype=np.uint8))
    expected = gaussian_blur(images, kernels)

    def bfloat16_matmul(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.Tensor.matmul(one.bfloat16().float(), other.bfloat16().float())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "__matmul__", bfloat16_matmul)
        torch.testing.assert_close(gaussian_blur(images, kernels), expected, rtol=0, atol=0)


def test_a_blur_wider_than_the_image_is_refused() -> None:
    kernels = torch.from_numpy(gaussian_kernels(np.array([3.0]), 19))
    with pytest.raises(ValueError, match="19 taps needs images larger than 9x32"):
        gaussian_blur(torch.zeros(1, 3, 9, 32), kernels)
    with pytest.raises(ValueError, match="more than the 19 there are"):
        gaussian_kernels(np.array([5.0]), 19)
