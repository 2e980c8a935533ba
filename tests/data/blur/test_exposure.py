from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from deblurlab.data.blur import exposure
from deblurlab.data.blur.exposure import (
    ElementaryMotions,
    Layer,
    Motion,
    camera_fields,
    exposed,
    object_fields,
    together,
)
from deblurlab.data.blur.shaking import Camera, shaken
from deblurlab.data.blur.tremor import TIMES, straight, tremor
from deblurlab.data.blur.windows import Window

SIDE = 81
PLACES = torch.arange(SIDE) - SIDE // 2


def point(row: int, column: int, light: float = 1.0) -> Tensor:
    """Darkness with a point of light."""
    scene = torch.zeros(3, SIDE, SIDE)
    scene[:, row, column] = light
    return scene


def camera(path: np.ndarray) -> Motion:
    return Motion((ElementaryMotions(partial(camera_fields, focal=100.0), PLACES, PLACES),), path)


def shift(across: float, down: float) -> np.ndarray:
    """The path of an even shift by so many pixels in all."""
    time = np.linspace(-0.5, 0.5, TIMES)[:, None]
    return time * np.array((0, 0, 0, across / 100, down / 100, 0))


def test_no_motion_is_the_identity() -> None:
    scene = torch.rand(3, SIDE, SIDE)
    torch.testing.assert_close(exposed([Layer(scene, None, camera(np.zeros((TIMES, 6))))]), scene)


def test_a_point_of_light_draws_its_path_evenly() -> None:
    drawn = exposed([Layer(point(40, 40), None, camera(shift(20, 0)))])[0]
    line = drawn[40]
    assert float(line.sum()) == pytest.approx(1, abs=1e-4)
    assert float(drawn.sum() - line.sum()) == pytest.approx(0, abs=1e-4)
    assert torch.nonzero(line > 0.01).flatten().tolist() == list(range(30, 51))
    assert line[32:49].tolist() == pytest.approx([1 / 20] * 17, rel=0.15)


def test_a_fast_path_is_drawn_without_gaps() -> None:
    """A point that swings to and fro: between the turns it moves by three pixels from one time of the path to the next.

    The share of its time in which a swinging point is at x is the density of the arcsine distribution.
    """
    swing = np.sin(4 * np.pi * np.arange(TIMES) / TIMES)[:, None] * np.array((0, 0, 0, 30 / 100, 0, 0))
    line = exposed([Layer(point(40, 40), None, camera(swing))])[0, 40]
    places = np.arange(-20, 21)
    np.testing.assert_allclose(line[20:61], 1 / (np.pi * np.sqrt(30**2 - places**2)), rtol=0.2)


def test_a_roll_draws_arcs_that_grow_from_the_middle() -> None:
    """A turn by an angle moves a point by the angle times its distance, at right angles to where it lies."""
    path = np.linspace(-0.05, 0.05, TIMES)[:, None] * np.array((0, 0, 1, 0, 0, 0))
    for distance, length in ((0, 0), (15, 1.5), (30, 3.0)):
        drawn = exposed([Layer(point(40, 40 + distance), None, camera(path))])[0]
        rows = torch.arange(SIDE) - 40.0
        spread = float((drawn.sum(dim=1) * rows.square()).sum())  # the variance of an even line is length^2 / 12
        bilinear = 0.17 if length else 0.0
        assert spread == pytest.approx(length**2 / 12 + bilinear, abs=0.12)
        assert float(drawn.sum()) == pytest.approx(1, abs=1e-3)


def test_fields_are_those_of_small_exact_turns() -> None:
    """Against the homography K R K^-1 of a turn about each axis."""
    angle, focal = 1e-3, 100.0
    fields = camera_fields(PLACES, PLACES, focal)
    y, x = torch.meshgrid(PLACES.double(), PLACES.double(), indexing="ij")
    place = torch.stack((x, y, torch.full_like(x, focal)))
    for axis, (one, other) in enumerate(((1, 2), (2, 0), (0, 1))):
        turn = torch.eye(3, dtype=torch.float64)
        turn[one, one] = turn[other, other] = np.cos(angle)
        turn[one, other], turn[other, one] = (
            (-np.sin(angle), np.sin(angle)) if axis == 2 else (np.sin(angle), -np.sin(angle))
        )
        turn = turn.T if axis == 1 else turn
        turned = torch.einsum("ij,jhw->ihw", turn, place)
        moved = turned[:2] / turned[2] * focal - place[:2]
        sign = torch.sign((moved.permute(1, 2, 0) * fields[axis]).sum())
        torch.testing.assert_close(moved.permute(1, 2, 0), (sign * fields[axis] * angle).double(), atol=1e-3, rtol=0)


def test_light_is_kept_and_stays_where_it_was_on_average() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        path = tremor(float(rng.uniform(0.02, 0.5)), nearness=0.3, rng=rng)
        path *= 5 / np.abs(camera(path).corners()).max()
        drawn = exposed([Layer(point(40, 40), None, camera(path))])[0]
        assert float(drawn.sum()) == pytest.approx(1, abs=0.03)
        assert float((drawn.sum(dim=0) * (torch.arange(SIDE) - 40)).sum()) == pytest.approx(0, abs=0.3)
        assert float((drawn.sum(dim=1) * (torch.arange(SIDE) - 40)).sum()) == pytest.approx(0, abs=0.3)


def test_what_is_even_stays_even_and_adds_up_in_light() -> None:
    """A bright and a dark half: in the middle of their blurred border there is the mean of their light."""
    scene = torch.zeros(3, SIDE, SIDE)
    scene[:, :, 40:] = 1
    drawn = exposed([Layer(scene, None, camera(shift(20, 0)))])[0, 40]
    assert float(drawn[10]) == 0
    assert float(drawn[70]) == pytest.approx(1)
    assert float(drawn[39] + drawn[40]) / 2 == pytest.approx(0.5, abs=0.01)


def test_an_object_covers_what_it_passes_and_the_rest_is_still() -> None:
    """A white disc moves over black: each pixel's light is the share of the time in which the disc was there."""
    y, x = torch.meshgrid(PLACES.float(), PLACES.float(), indexing="ij")
    cover = (torch.hypot(x, y) <= 5).float()[None]
    path = np.linspace(-15, 15, TIMES)[:, None] * np.array((1, 0, 0, 0))
    own = Motion((ElementaryMotions(object_fields, PLACES, PLACES),), path)
    still = camera(np.zeros((TIMES, 6)))
    ground = torch.full((3, SIDE, SIDE), 0.25)
    layers = [Layer(ground, None, still), Layer(torch.ones_like(ground), cover, together(still, own))]
    drawn = exposed(layers)[0]
    inside = 0.25 + 0.75 * 11 / 31  # the disc is 11 pixels wide on its middle line and passes over 30 more
    assert drawn[40, 35:46].tolist() == pytest.approx([inside] * 11, abs=0.03)
    assert torch.equal(drawn[:30], ground[0, :30])


def test_a_large_picture_is_exposed_in_strips_for_which_alone_fields_are_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of 24 megapixels would take 1 GiB per layer."""
    torch.manual_seed(0)
    sizes: list[int] = []

    def fields(rows: Tensor, columns: Tensor) -> Tensor:
        sizes.append(len(rows) * len(columns))
        return camera_fields(rows, columns, 100.0)

    path = tremor(0.3, nearness=0.3, rng=np.random.default_rng(0)) * 0.01
    motion = Motion((ElementaryMotions(fields, PLACES, PLACES),), path)
    own = straight(9, rng=np.random.default_rng(1))
    moving = together(motion, Motion((ElementaryMotions(object_fields, PLACES, PLACES),), own))
    light = torch.rand(2, 3, SIDE, SIDE)
    layers = [Layer(light[0], None, motion), Layer(light[1], torch.rand(1, SIDE, SIDE), moving)]
    whole = exposed(layers)
    assert max(sizes) == SIDE**2
    sizes.clear()
    monkeypatch.setattr(exposure, "_STRIP", 1000)
    torch.testing.assert_close(exposed(layers), whole)
    assert max(sizes) <= 1000


@pytest.mark.parametrize("seconds", [1 / 60, 1 / 2])
def test_a_short_exposure_draws_a_straight_path_and_a_long_one_winds(seconds: float) -> None:
    """How far the ends are apart, over the path's length: 1 for a straight path."""
    straightness = []
    for seed in range(40):
        path = tremor(seconds, nearness=0.0, rng=np.random.default_rng(seed))[:, :2]
        travelled = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
        straightness.append(np.linalg.norm(path[-1] - path[0]) / travelled)
    assert (np.mean(straightness) > 0.9) == (seconds < 0.1)


def test_a_path_is_as_long_as_asked_in_the_corner_where_it_is_longest() -> None:
    for seed in range(10):
        drawn = Camera((60, 80), 12.0, np.random.default_rng(seed))
        boxes = np.ptp(drawn.motion(Window(0, 0, 60, 80)).corners(), axis=0)
        assert boxes.max() == pytest.approx(12)


def test_an_object_goes_as_far_as_asked() -> None:
    path = straight(20.0, rng=np.random.default_rng(0))
    assert np.hypot(*(path[-1] - path[0])[:2]) == pytest.approx(20)
    np.testing.assert_allclose(path.mean(axis=0), 0, atol=1e-12)


def test_a_part_of_a_shaken_picture_is_that_part_of_the_whole() -> None:
    """A patch sees what lies beside it, and turns about the middle of the picture."""
    picture = torch.rand(3, 90, 120)

    def seen(window: Window) -> Tensor:
        rows = (torch.arange(window.height) + window.top).clamp(0, 89)
        columns = (torch.arange(window.width) + window.left).clamp(0, 119)
        return picture[:, rows][:, :, columns]

    motion = Camera((90, 120), 9.0, np.random.default_rng(3))
    whole = shaken(seen, Window(0, 0, 90, 120), motion)
    part = shaken(seen, Window(30, 50, 40, 40), motion)
    assert float((whole[:, 30:70, 50:90] - part).abs().mean()) < 0.01
