import numpy as np
import pytest
import torch

from deblurlab.data.blur.light import to_light, to_pixels
from tests.pictures import picture


def test_every_pixel_value_comes_back() -> None:
    values = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    np.testing.assert_array_equal(to_pixels(to_light(values)), values)


def test_half_of_white_is_188_and_more_than_white_is_white() -> None:
    light = torch.tensor([0.0, 0.5, 1.0, 3.0]).expand(3, 1, 4)
    assert to_pixels(light)[0, :, 0].tolist() == [0, 188, 255, 255]


def test_colours_stay_in_their_places() -> None:
    pixels = picture(0, 20, 30)
    light = to_light(pixels)
    assert light.shape == (3, 20, 30)
    assert float(light[1, 4, 7]) == pytest.approx((pixels[4, 7, 1] / 255) ** 2.2, abs=0.02)
