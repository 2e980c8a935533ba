"""Where tiles lie: each pixel comes from one or two tiles along each axis, whose shares add up to 1."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deblurlab.restoring.tiling import Axis, Tiling, tile_count

SIZES = st.integers(1, 300)
TILINGS = [Tiling(side=96, margin=16, blend=8), Tiling(side=64, margin=0, blend=0), Tiling(side=0, margin=20)]


@pytest.mark.parametrize("tiling", TILINGS)
@given(size=SIZES, multiple=st.sampled_from([1, 4, 8]))
def test_the_shares_of_all_tiles_in_a_pixel_add_up_to_1(tiling: Tiling, size: int, multiple: int) -> None:
    axis = Axis.of(size, tiling, multiple)
    shares = torch.zeros((axis.count - 1) * axis.step + axis.step + axis.blend)
    tiles_of_a_pixel = torch.zeros_like(shares)
    for tile in range(axis.count):
        given_pixels = slice(tile * axis.step, tile * axis.step + axis.step + axis.blend)
        assert (axis.weight(tile) > 0).all()
        shares[given_pixels] += axis.weight(tile)
        tiles_of_a_pixel[given_pixels] += 1
    torch.testing.assert_close(shares[:size], torch.ones(size))
    assert tiles_of_a_pixel[:size].max() <= 2
    assert axis.side % multiple == axis.step % multiple == axis.margin % multiple == 0 or not tiling.side


@pytest.mark.parametrize("tiling", TILINGS)
@given(size=SIZES)
def test_a_tile_shows_the_picture_reflected_at_its_borders(tiling: Tiling, size: int) -> None:
    axis = Axis.of(size, tiling, 1)
    far = (axis.count + 1) * axis.side
    reflected = np.pad(np.arange(size), far, mode="reflect") if size > 1 else np.zeros(2 * far + 1, np.int64)
    for tile in range(axis.count):
        start = far + tile * axis.step - axis.margin
        np.testing.assert_array_equal(axis.source(tile), reflected[start : start + axis.side])


def test_the_number_of_tiles_is_that_of_rows_times_columns() -> None:
    tiling = Tiling(side=100, margin=10, blend=10)  # 80 pixels of each tile are used, and neighbours share 10 of them
    assert [tile_count(80, width, tiling, 1) for width in (1, 80, 81, 150, 151)] == [1, 1, 2, 2, 3]
    assert tile_count(81, 151, tiling, 1) == 6


@pytest.mark.parametrize("sizes", [(120, 36, 20), (95, 25, 12), (200, 50, 45)])
def test_tiles_that_would_overlap_threefold_are_refused(sizes: tuple[int, int, int]) -> None:
    """Sides and margins are rounded to what the network takes, which can leave too little between the margins."""
    side, margin, blend = sizes
    with pytest.raises(ValueError, match=f"tile={side} is too small for margin={margin}"):
        tile_count(300, 300, Tiling(side=side, margin=margin, blend=blend), 16)


def test_a_tile_that_is_all_margin_is_refused() -> None:
    with pytest.raises(ValueError, match="tile=64 must be 0 or more than twice margin=32"):
        Tiling(side=64, margin=32, blend=16)
    with pytest.raises(ValueError, match=r"tile must be a whole number of pixels, got 150\.0"):
        Tiling(side=150.0)  # type: ignore[arg-type]
