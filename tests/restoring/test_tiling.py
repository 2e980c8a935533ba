"""Where tiles lie: each pixel comes from one or two tiles along each axis, whose shares add up to 1."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deblurlab.restoring.tiling import Axis, Cut, Tiling

SIZES = st.integers(1, 300)
TILINGS = [Tiling(side=96, margin=16, blend=8), Tiling(side=64, margin=0, blend=0), Tiling(side=0, margin=20)]


@pytest.mark.parametrize("tiling", TILINGS)
@given(size=SIZES, multiple=st.sampled_from([1, 4, 8]))
def test_the_shares_of_all_tiles_in_a_pixel_add_up_to_1(tiling: Tiling, size: int, multiple: int) -> None:
    axis = Axis.of(size, tiling, multiple)
    shares, tiles_of_a_pixel = torch.zeros(size), torch.zeros(size)
    for tile in range(axis.count):
        place = axis.place(tile)
        assert 0 <= place.start < place.stop <= size
        assert (axis.weight(tile) > 0).all()
        shares[place] += axis.weight(tile)
        tiles_of_a_pixel[place] += 1
    torch.testing.assert_close(shares, torch.ones(size))
    assert tiles_of_a_pixel.max() <= 2
    assert axis.side % multiple == axis.step % multiple == 0


@pytest.mark.parametrize("tiling", TILINGS)
@given(size=SIZES, multiple=st.sampled_from([1, 4, 8]))
def test_what_is_kept_lies_a_margin_from_other_tiles_and_reaches_the_borders_of_the_picture(
    tiling: Tiling, size: int, multiple: int
) -> None:
    axis = Axis.of(size, tiling, multiple)
    for tile in range(axis.count):
        kept, first, last = axis.kept(tile), tile == 0, tile == axis.count - 1
        assert kept.start >= (0 if first else tiling.margin)
        assert kept.stop <= axis.side - (0 if last else tiling.margin)
        np.testing.assert_array_equal(axis.source(tile)[kept], np.arange(size)[axis.place(tile)])


@pytest.mark.parametrize("tiling", TILINGS)
@given(size=SIZES)
def test_a_tile_that_goes_beyond_the_picture_shows_its_reflection(tiling: Tiling, size: int) -> None:
    axis = Axis.of(size, tiling, 1)
    reflected = (
        np.pad(np.arange(size), (0, axis.side), mode="reflect") if size > 1 else np.zeros(axis.side + 1, np.int64)
    )
    for tile in range(axis.count):
        source = axis.source(tile)
        np.testing.assert_array_equal(source, reflected[source[0] : source[0] + axis.side])


@pytest.mark.parametrize("multiple", [1, 8])
def test_the_last_tile_ends_with_the_picture(multiple: int) -> None:
    """As far as a tile is not larger than the picture: so the network sees the same border as in the whole picture."""
    for size in (96, 97, 150, 161, 300):
        axis = Axis.of(size, Tiling(side=96, margin=16, blend=8), multiple)
        ends = np.pad(np.arange(size), (0, multiple - 1), mode="reflect")[: -(-size // multiple) * multiple]
        np.testing.assert_array_equal(axis.source(axis.count - 1), ends[-96:])


def test_the_number_of_tiles_is_that_of_rows_times_columns() -> None:
    tiling = Tiling(side=100, margin=10, blend=10)  # neighbours share 30 pixels
    assert [Cut.of(100, width, tiling, 1).count for width in (1, 100, 101, 170, 171)] == [1, 1, 2, 2, 3]
    assert Cut.of(101, 171, tiling, 1).count == 6


@pytest.mark.parametrize("sizes", [(120, 36, 20), (95, 25, 17), (200, 50, 45)])
def test_tiles_that_would_overlap_threefold_are_refused(sizes: tuple[int, int, int]) -> None:
    """Sides and steps are rounded to what the network takes, which can leave too little between the margins."""
    side, margin, blend = sizes
    with pytest.raises(ValueError, match=f"tile={side} is too small for margin={margin}"):
        Cut.of(300, 300, Tiling(side=side, margin=margin, blend=blend), 16)


def test_a_tile_that_is_all_margin_is_refused() -> None:
    with pytest.raises(ValueError, match="tile=64 must be 0 or more than twice margin=32"):
        Tiling(side=64, margin=32, blend=16)
    with pytest.raises(ValueError, match=r"tile must be a whole number of pixels, got 150\.0"):
        Tiling(side=150.0)  # type: ignore[arg-type]
