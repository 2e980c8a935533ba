import numpy as np
import numpy.typing as npt
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from deblurlab.data import CameraBlur
from deblurlab.data.blur.camera import KINDS
from deblurlab.data.blur.compression import compressed
from deblurlab.data.blur.defocus import convolved, disc
from deblurlab.data.blur.kernels import gaussian_kernel
from deblurlab.data.blur.light import to_light
from deblurlab.data.blur.sensor import noisy, read_noise, with_highlights
from deblurlab.data.blur.windows import Window, cut
from tests.pictures import picture

WINDOW = Window(10, 20, 48, 56)
NOTHING = dict.fromkeys(KINDS, 0.0) | {"highlights": 0.0, "dark": 0.0, "noise": 0.0, "jpeg": 0.0}


def only(kind: str, **options: object) -> CameraBlur:
    return CameraBlur(**(NOTHING | {kind: 1.0} | options))  # type: ignore[arg-type]


def variance(line: npt.NDArray[np.floating]) -> float:
    """The variance of the place, in pixels, under weights along a line."""
    place = np.arange(len(line))
    mean = (line * place).sum() / line.sum()
    return float((line * (place - mean) ** 2).sum() / line.sum())


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("radius", [0.0, 0.3, 1.0, 2.5, 6.0])
def test_a_disc_is_even_round_and_keeps_light(radius: float) -> None:
    kernel = disc(radius)
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_allclose(kernel, kernel.T)
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-12)
    offset = np.arange(len(kernel)) - len(kernel) // 2
    if radius >= 2:  # the variance of an even disc is r^2 / 4 in each direction, and a pixel adds 1 / 12
        assert kernel.sum(axis=0) @ offset**2 == pytest.approx(radius**2 / 4 + 1 / 12, rel=0.1)
    if radius == 0:
        assert kernel.tolist() == [[1.0]]


def test_rim_and_rings_are_where_they_should_be() -> None:
    middle = disc(12.0)[12, 12]
    assert disc(12.0, rim=0.8)[12, 12] < middle / 2 < middle < disc(12.0, rim=-0.5)[12, 12]
    line = disc(12.0, rings=0.3)[12]
    assert sum((line[1:-1] > line[:-2]) & (line[1:-1] > line[2:])) > 4


def test_a_point_out_of_focus_is_the_disc() -> None:
    scene = torch.zeros(3, 31, 31)
    scene[:, 15, 15] = 2.0
    kernel = disc(4.0, rim=0.5)
    np.testing.assert_allclose(convolved(scene, kernel)[0, 11:20, 11:20].numpy(), 2 * kernel, atol=1e-5)


def test_noise_has_the_variance_of_photons_and_of_reading() -> None:
    light = torch.tensor([0.0, 0.1, 0.8])[:, None, None].expand(3, 200, 200)
    drawn = noisy(light, photons=1000.0, read=0.01, rng=rng())
    assert drawn.mean(dim=(1, 2)).tolist() == pytest.approx([0.0, 0.1, 0.8], abs=5e-4)
    assert drawn.var(dim=(1, 2)).tolist() == pytest.approx([1e-4, 2e-4, 9e-4], rel=0.04)
    assert read_noise(1000.0) == pytest.approx(9.8e-4, rel=0.01)


def test_lights_become_brighter_than_white_and_nothing_else_changes() -> None:
    pixels = picture(0, 30, 30)
    pixels[4:6, 4:6] = 255
    pixels[8, 8] = (255, 255, 200)
    light = to_light(pixels)
    bright = with_highlights(light, 5.0)
    assert (bright[:, 4:6, 4:6] == 5).all()
    torch.testing.assert_close(bright.clamp(0, 1), light.clamp(0, 1), atol=0.01, rtol=0)
    assert torch.equal(bright[:, 8, 8], light[:, 8, 8])


def test_a_lamp_draws_a_white_streak() -> None:
    pixels = np.full((80, 80, 3), 20, np.uint8)
    pixels[38:42, 38:42] = 255
    window = Window(0, 0, 80, 80)
    options = {"shake_pixels": (16.0, 16.0)}
    grey, _ = only("shake", **options).pair(pixels, window, rng(1))
    white, _ = only("shake", **options, highlights=1.0, highlight_gain=(30.0, 30.0)).pair(pixels, window, rng(1))
    assert (white.min(axis=2) == 255).sum() > 2 * (grey.min(axis=2) > 250).sum() + 20


def test_pixels_that_are_averaged_are_no_brighter_than_white() -> None:
    """As in data sets that average 8-bit frames: a blurred pixel is white where the lamp is in every frame."""
    pixels = np.full((80, 80, 3), 20, np.uint8)
    pixels[30:50, 30:50] = 255
    window, options = Window(0, 0, 80, 80), {"shake_pixels": (16.0, 16.0), "encoded": 1.0}
    plain, bright = (
        only("shake", **options, highlights=1.0, highlight_gain=(gain, gain)).pair(pixels, window, rng(1))[0]
        for gain in (1.0, 8.0)
    )
    np.testing.assert_array_equal(bright, plain)
    assert not ((plain == 255) & (pixels < 255)).any()


def test_the_target_is_as_white_as_a_picture_without_blur() -> None:
    pixels = picture(7, 90, 100)
    pixels[30:40, 30:40] = 254
    blurred, sharp = only("sharp", highlights=1.0, highlight_gain=(2.0, 2.0)).pair(pixels, WINDOW, rng())
    np.testing.assert_array_equal(blurred, sharp)


@pytest.mark.parametrize("kind", KINDS)
def test_a_blur_of_nothing_is_the_identity(kind: str) -> None:
    still = {"shake_pixels": (0, 0), "object_pixels": (0, 0), "defocus_pixels": (0, 0), "gaussian_sigma": (0, 0)}
    blurred, sharp = only(kind, **still).pair(picture(1, 90, 100), WINDOW, rng())
    np.testing.assert_array_equal(sharp, picture(1, 90, 100)[10:58, 20:76])
    np.testing.assert_array_equal(blurred, sharp)


@pytest.mark.parametrize("kind", KINDS)
def test_a_blurred_patch_keeps_its_light_and_is_blurred(kind: str) -> None:
    blurred, sharp = only(kind).pair(picture(2, 90, 100), WINDOW, rng(2))
    assert blurred.shape == sharp.shape == (48, 56, 3)
    assert float(to_light(blurred).mean()) == pytest.approx(float(to_light(sharp).mean()), rel=0.1)
    assert (blurred == sharp).all() == (kind == "sharp")


@pytest.mark.parametrize("adds_pixels", [False, True])
def test_a_blur_of_light_or_of_pixels_keeps_the_mean_of_what_is_added_up(adds_pixels: bool) -> None:
    """The picture is of one brightness to the left and of another to the right, farther from the edge than it looks."""
    pixels = np.full((120, 160, 3), 20, np.uint8)
    pixels[:, 80:] = 220
    options = {"gaussian_sigma": (3.0, 3.0), "encoded": float(adds_pixels)}
    blurred, sharp = only("gaussian", **options).pair(pixels, Window(30, 40, 60, 80), rng())
    kept, other = (to_light(blurred).mean() - to_light(sharp).mean()), blurred.mean() - sharp.mean()
    if adds_pixels:
        assert abs(other) < 0.1
        assert kept < -0.005
    else:
        assert abs(kept) < 1e-3
        assert other > 1


def test_a_draw_repeats_and_another_differs() -> None:
    one, again, other = (CameraBlur().pair(picture(3, 90, 100), WINDOW, rng(seed))[0] for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_noise_blocks_and_darkness_have_the_clean_picture_as_their_target() -> None:
    pixels = picture(4, 90, 100)
    clean = pixels[10:58, 20:76]
    for options in ({"noise": 1.0}, {"jpeg": 1.0, "jpeg_quality": (60, 60)}):
        blurred, sharp = only("sharp", **options).pair(pixels, WINDOW, rng())
        np.testing.assert_array_equal(sharp, clean)
        assert (blurred != sharp).any()
    dark, target = only("sharp", dark=1.0, dark_exposure=(0.25, 0.25)).pair(pixels, WINDOW, rng())
    np.testing.assert_array_equal(dark, target)
    assert float(to_light(target).mean()) == pytest.approx(float(to_light(clean).mean()) / 4, rel=0.05)


def test_a_soft_photograph_is_its_own_target() -> None:
    """The target is the photograph with the drawn Gaussian, and what is done to it is done to the soft photograph."""
    pixels = np.full((60, 80, 3), 20, np.uint8)
    pixels[:, 40:] = 220
    whole = Window(0, 0, 60, 80)
    blurred, sharp = only("sharp", soft=1.0, soft_sigma=(1.5, 1.5)).pair(pixels, whole, rng())
    np.testing.assert_array_equal(blurred, sharp)
    expected, _ = only("gaussian", gaussian_sigma=(1.5, 1.5)).pair(pixels, whole, rng())
    np.testing.assert_allclose(sharp.astype(int), expected, atol=1)
    assert ((sharp > 30) & (sharp < 210)).any()

    twice, _ = only("gaussian", gaussian_sigma=(1.5, 1.5), soft=1.0, soft_sigma=(1.5, 1.5)).pair(pixels, whole, rng())
    edge = to_light(twice)[0, 30].diff().numpy()
    assert variance(edge) == pytest.approx(2 * variance(gaussian_kernel(1.5).sum(axis=0)), rel=0.03)  # they add up


def test_without_softness_the_draws_stay_as_they_were() -> None:
    pixels = picture(7, 90, 100)
    plain = CameraBlur().pair(pixels, WINDOW, rng(3))
    softened = CameraBlur(soft=1.0, soft_sigma=(0, 0)).pair(pixels, WINDOW, rng(3))
    never = CameraBlur(soft=0.0, soft_sigma=(5, 5)).pair(pixels, WINDOW, rng(3))
    np.testing.assert_array_equal(plain[0], never[0])
    assert (plain[0] != softened[0]).any()  # its chance takes a number of its own


def test_kinds_come_up_as_often_as_asked() -> None:
    chances = CameraBlur(shake=3, objects=0, defocus=0, gaussian=0, sharp=1).chances
    assert chances.tolist() == [0.75, 0, 0, 0, 0.25]


def test_a_jpeg_of_high_quality_is_closer() -> None:
    pixels = picture(5, 64, 64)
    low, high = (
        peak_signal_noise_ratio(pixels, compressed(pixels, quality=quality, subsampled=False)) for quality in (60, 95)
    )
    assert low < high - 3


def test_a_window_outside_of_the_picture_is_mirrored() -> None:
    pixels = picture(6, 20, 30)
    expected = np.pad(pixels, ((7, 3), (40, 5), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(cut(pixels, Window(-7, -40, 30, 75)), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shake": -1}, r"shake, objects, defocus, gaussian, sharp must be numbers from 0 on, .* got \[-1\.0, 0\.2,"),
        ({"shake": float("nan")}, "must be numbers from 0 on"),
        ({"shake": float("inf")}, "must be numbers from 0 on"),
        (dict.fromkeys(("shake", "objects", "defocus", "gaussian", "sharp"), 0), "one of them positive"),
        ({"photons": (1, float("inf"))}, r"data\.blur\.photons is .* from 1 on, got \[1, inf\]"),
        ({"defocus_pixels": (float("nan"), 1)}, r"data\.blur\.defocus_pixels is .* got \[nan, 1\]"),
        ({"soft": 1.5}, r"data\.blur\.soft is how often, from 0 to 1, got 1\.5"),
        ({"noise": 2}, r"data\.blur\.noise is how often, from 0 to 1, got 2"),
        ({"jpeg_quality": (60, 101)}, r"data\.blur\.jpeg_quality .* between 1 and 100, got \[60, 101\]"),
        ({"shake_pixels": (5, 1)}, r"data\.blur\.shake_pixels is the smallest and the largest value"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CameraBlur(**options)  # type: ignore[arg-type]
