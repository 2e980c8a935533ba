"""What is not learned, against a blur that is written out as a matrix, in float64."""

import numpy as np
import pytest
import torch
from torch import Tensor

from deblurlab.data.blur.gaussian import gaussian_blur, gaussian_kernels, kernel_size
from deblurlab.nets.wiener.cosine_transform import CosineTransform, cosine_matrix
from deblurlab.nets.wiener.deconvolution import ROUNDING, rounding_noise
from deblurlab.nets.wiener.frequency_bands import BANDS, FrequencyBands
from deblurlab.nets.wiener.gaussian_transfer import gaussian_radius, gaussian_taps, transfer
from deblurlab.nets.wiener.opponent_colours import opponent, rgb
from deblurlab.nets.wiener.wiener_filter import wiener_filter

SIGMAS = np.linspace(0, 3, 601)
SIZES = [(32, 32), (31, 12), (17, 40)]
RADIUS = 9


def blur_matrix(sigma: float, length: int) -> Tensor:
    """The blur of a line of pixels, (N, N): each unit vector is padded by reflection and convolved by NumPy."""
    kernel = gaussian_kernels(np.array([sigma]), 2 * RADIUS + 1)[0] / 256
    columns = [np.convolve(np.pad(unit, RADIUS, mode="reflect"), kernel, mode="valid") for unit in np.eye(length)]
    return torch.from_numpy(np.stack(columns, axis=1))


@pytest.mark.parametrize("length", [2, 3, 8, 33])
def test_the_cosine_matrix_is_symmetric_and_its_own_inverse(length: int) -> None:
    matrix = cosine_matrix(length, torch.empty(0, dtype=torch.float64))
    torch.testing.assert_close(matrix, matrix.mT)
    torch.testing.assert_close(matrix @ matrix, torch.eye(length, dtype=torch.float64))


def test_a_long_line_is_transformed_as_exactly_as_a_short_one() -> None:
    exact = cosine_matrix(2000, torch.empty(0, dtype=torch.float64))
    assert (cosine_matrix(2000, torch.empty(0)) - exact).abs().max() < 2e-7


@pytest.mark.parametrize("size", SIZES)
def test_images_survive_the_transform(size: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *size, dtype=torch.float64)
    transform = CosineTransform(images)
    torch.testing.assert_close(transform.inverse(transform(images)), images)


def test_the_kernels_are_opencv_s_to_the_last_bit() -> None:
    taps = gaussian_taps(torch.from_numpy(SIGMAS), RADIUS).taps
    torch.testing.assert_close(taps, torch.from_numpy(gaussian_kernels(SIGMAS, 2 * RADIUS + 1)[:, RADIUS:] / 256))
    assert [gaussian_radius(sigma) for sigma in SIGMAS] == (kernel_size(SIGMAS) // 2).tolist()


def test_the_slopes_are_the_derivatives_of_the_kernels_before_they_are_rounded() -> None:
    sigma = torch.linspace(0.5, 2.9, 7, dtype=torch.float64)
    offset = torch.arange(RADIUS + 1)

    def smooth(width: Tensor) -> Tensor:
        inside = offset <= torch.from_numpy(kernel_size(sigma.numpy()) // 2)[:, None]  # where the kernel ends is fixed
        weights = torch.exp(-offset.square() / (2 * width[:, None].square())) * inside
        return weights / (2 * weights.sum(dim=1, keepdim=True) - weights[:, :1])

    expected = (smooth(sigma + 1e-6) - smooth(sigma - 1e-6)) / 2e-6
    torch.testing.assert_close(gaussian_taps(sigma, RADIUS).slopes, expected, rtol=1e-6, atol=1e-8)
    sigma.requires_grad_()
    taps = gaussian_taps(sigma, RADIUS).taps
    (gradient,) = torch.autograd.grad(taps[:, 1].sum(), sigma)
    torch.testing.assert_close(gradient, expected[:, 1], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sigma", [0.2, 0.7, 2.9])
def test_a_blur_is_a_product_in_the_transform(sigma: float, size: tuple[int, int]) -> None:
    images = torch.rand(1, 3, *size, dtype=torch.float64)
    transform, taps = CosineTransform(images), gaussian_taps(torch.tensor([sigma], dtype=torch.float64), RADIUS).taps
    rows, columns = (transfer(taps, length) for length in size)
    blurred = transform.inverse(transform(images) * rows[:, None, :, None] * columns[:, None, None])
    torch.testing.assert_close(blurred, blur_matrix(sigma, size[0]) @ images @ blur_matrix(sigma, size[1]).mT)


def test_a_blur_is_a_product_of_what_the_data_module_blurs() -> None:
    """Rounding is all that is between them, and its variance is what the filter counts with."""
    rng = np.random.default_rng(0)
    sharp = torch.from_numpy(rng.integers(0, 256, (64, 3, 32, 32)))
    sigma = np.linspace(0.6, 3, 64)
    blurred = gaussian_blur(sharp, torch.from_numpy(gaussian_kernels(sigma, 19))) / 255
    transform, taps = CosineTransform(blurred), gaussian_taps(torch.from_numpy(sigma).float(), RADIUS).taps
    factors = transfer(taps, 32)[:, None]
    error = blurred - transform.inverse(transform(sharp / 255) * factors[..., None] * factors[..., None, :])
    assert error.abs().max() < 0.501 / 255
    assert float(error.var()) == pytest.approx(ROUNDING, rel=0.05)


@pytest.mark.parametrize("size", SIZES)
def test_the_filter_solves_the_normal_equations(size: tuple[int, int]) -> None:
    """With equal power in all coefficients, Wiener's filter is least squares with a penalty: a direct solve has it."""
    torch.manual_seed(0)
    blurred = torch.rand(2, 3, *size, dtype=torch.float64)
    sigma, ratio = torch.tensor([0.7, 2.5], dtype=torch.float64), torch.tensor([1e-5, 1e-3], dtype=torch.float64)
    transform, taps = CosineTransform(blurred), gaussian_taps(sigma, RADIUS).taps
    factors = transfer(taps, size[0])[:, None, :, None] * transfer(taps, size[1])[:, None, None]
    found = wiener_filter(
        transfer=factors,
        slope=torch.zeros_like(factors),
        variance=torch.zeros(2, dtype=torch.float64),
        log_power=torch.zeros_like(blurred),
        noise=ratio,
    )
    filtered = transform.inverse(transform(blurred) * found.gain)
    for image, width, penalty, result in zip(blurred, sigma.tolist(), ratio, filtered, strict=True):
        # The transform is orthonormal in pixels of which those at the edge weigh a half in each direction.
        weights = [torch.ones(length, dtype=torch.float64) for length in size]
        for line in weights:
            line[[0, -1]] = 0.5
        weight = torch.kron(*weights)
        blur = torch.kron(*(blur_matrix(width, length) for length in size))
        normal = blur.mT @ (weight[:, None] * blur) + penalty * torch.diag(weight)
        expected = torch.linalg.solve(normal, blur.mT @ (weight[:, None] * image.flatten(1).mT)).mT
        torch.testing.assert_close(result, expected.reshape(result.shape), rtol=0, atol=1e-6)


def test_the_filter_has_the_least_error_and_tells_it() -> None:
    """Coefficients, blurs and noise are drawn; no other gain has a smaller error."""
    torch.manual_seed(0)
    h, spread, power, noise = 0.6, 0.2, 4.0, 0.3
    drawn = power**0.5 * torch.randn(1_000_000, dtype=torch.float64)
    seen = (h + spread * torch.randn_like(drawn)) * drawn + noise**0.5 * torch.randn_like(drawn)
    one = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    told = wiener_filter(
        transfer=h * one,
        slope=-2 * one,
        variance=torch.tensor([(spread / 2) ** 2]),
        log_power=np.log(power) * one,
        noise=torch.tensor([noise]),
    )
    errors = [float((drawn - factor * told.gain * seen).square().mean()) for factor in (0.95, 1.0, 1.05)]
    assert errors[1] == pytest.approx(float(told.error), rel=5e-3)
    assert errors[1] == min(errors)


def test_a_single_pixel_as_kernel_has_no_noise() -> None:
    noise = rounding_noise(gaussian_taps(torch.tensor([0.0, 0.25, 0.5, 3.0]), RADIUS))
    assert noise[:2].tolist() == [0, 0]
    assert noise[2:].tolist() == pytest.approx([ROUNDING, ROUNDING], rel=0.03)


def test_colours_keep_lengths_and_come_back() -> None:
    images = torch.rand(2, 3, 5, 4, dtype=torch.float64)
    torch.testing.assert_close(rgb(opponent(images)), images)
    torch.testing.assert_close(opponent(images).square().sum(dim=1), images.square().sum(dim=1))
    grey = opponent(torch.ones(1, 3, 2, 2))
    assert grey[:, 1:].abs().max() < 1e-6


@pytest.mark.parametrize("size", [(4, 4), (32, 32), (48, 200)])
def test_bands_have_means_at_any_size(size: tuple[int, int]) -> None:
    bands = FrequencyBands(torch.empty(1, 3, *size))
    assert bands.means(torch.full((2, 3, *size), 5.0)).shape == (2, 3, BANDS, BANDS)
    torch.testing.assert_close(bands.means(torch.full(size, 5.0)), torch.full((BANDS, BANDS), 5.0))
    torch.testing.assert_close(bands.spectra(torch.full((BANDS, BANDS), 5.0)), torch.full(size, 5.0))


def test_bands_tell_a_smooth_spectrum_alike_at_any_size() -> None:
    def spectrum(height: int, width: int) -> Tensor:
        return -3 * torch.linspace(0, 1, height)[:, None] - torch.linspace(0, 1, width)

    small, large = (FrequencyBands(torch.empty(1, 3, *size)).means(spectrum(*size)) for size in ((32, 32), (128, 200)))
    torch.testing.assert_close(small, large, rtol=0, atol=0.06)
    again = FrequencyBands(torch.empty(1, 3, 32, 32)).spectra(small)
    torch.testing.assert_close(again, spectrum(32, 32), rtol=0, atol=0.25)
