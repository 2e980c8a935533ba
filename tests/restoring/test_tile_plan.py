"""Planned tiles: they fit into the memory, and no other division that fits computes less."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deblurlab.restoring.probe import Measured, Reach
from deblurlab.restoring.tile_plan import planned, xla_cut
from deblurlab.restoring.tiling import Axis

MEBIBYTE = 2**20


def network(*, reach: int = 16, multiple: int = 8, bytes_per_pixel: int = 1000, beyond: bool = False) -> Measured:
    return Measured(multiple=multiple, reach=Reach(reach, beyond), bytes_per_pixel=bytes_per_pixel)


def test_a_picture_for_which_there_is_memory_is_taken_whole() -> None:
    cut = planned(720, 1280, network(), memory=2000 * MEBIBYTE)
    assert (cut.count, cut.down.side, cut.across.side) == (1, 720, 1280)


@given(
    height=st.integers(1, 3000),
    width=st.integers(1, 3000),
    reach=st.integers(0, 60),
    multiple=st.sampled_from([1, 4, 8, 16]),
    memory=st.integers(100, 2000),
)
def test_tiles_fit_into_the_memory_and_suit_the_network(
    height: int, width: int, reach: int, multiple: int, memory: int
) -> None:
    found = network(reach=reach, multiple=multiple, bytes_per_pixel=1000)
    cut = planned(height, width, found, memory=memory * MEBIBYTE)
    assert cut.tile_pixels * 1000 <= memory * MEBIBYTE
    for axis in (cut.down, cut.across):
        assert axis.side % multiple == axis.step % multiple == 0
        assert axis.margin >= max(reach, 48)
        assert axis.count == 1 or axis.side >= axis.step + axis.blend + 2 * axis.margin
        assert axis.count == 1 or axis.step >= axis.blend


@pytest.mark.parametrize(("window", "memory", "margin"), [(240, 352, 120), (240, 40, 77), (96, 352, 65), (0, 352, 65)])
def test_a_margin_is_half_a_window_unless_that_were_more_than_a_sixth_of_a_tile(
    window: int, memory: int, margin: int
) -> None:
    found = replace(network(reach=65, bytes_per_pixel=192), window=window)
    cut = planned(3000, 4000, found, memory=memory * MEBIBYTE)
    assert cut.count > 1
    assert cut.down.margin == cut.across.margin == margin


@pytest.mark.parametrize(("reach", "bytes_per_pixel", "most"), [(11, 364, 1.01), (29, 940, 1.2), (18, 2828, 1.65)])
def test_how_much_more_than_a_frame_is_computed(reach: int, bytes_per_pixel: int, most: float) -> None:
    """UNet16, ResNet16 and REDNet30 as they are measured without training; tiles of 512 computed 2.28 frames."""
    found = network(reach=reach, multiple=1, bytes_per_pixel=bytes_per_pixel)
    cut = planned(720, 1280, found, memory=352 * MEBIBYTE)
    assert cut.count * cut.tile_pixels / (720 * 1280) < most


def test_no_other_number_of_rows_and_columns_that_fits_computes_less() -> None:
    found, memory = network(reach=50, multiple=4, bytes_per_pixel=2800), 300 * MEBIBYTE
    cut = planned(900, 1700, found, memory=memory)
    options = {"margin": 50, "blend": 8, "multiple": 4}
    downs, acrosses = ([Axis.divided(size, n, **options) for n in range(1, 30)] for size in (900, 1700))
    areas = [
        down.count * across.count * down.side * across.side
        for down in downs
        for across in acrosses
        if down.side * across.side * 2800 <= memory
    ]
    assert cut.count * cut.tile_pixels <= 1.02 * min(areas)


def test_a_memory_for_nothing_still_gives_tiles() -> None:
    cut = planned(500, 700, network(), memory=1)
    assert 1 < cut.count < 500


def test_xla_compiles_one_shape_for_all_pictures_that_are_larger_than_a_tile() -> None:
    def shapes(*sizes: tuple[int, int]) -> set[tuple[int, int, int, bool]]:
        cuts = [xla_cut(height, width, 8) for height, width in sizes]
        return {(cut.batch, cut.down.side, cut.across.side, cut.full_batches) for cut in cuts}

    assert shapes((513, 600), (720, 1280), (3000, 4000)) == {(4, 512, 512, True)}
    assert shapes((30, 40), (250, 500), (512, 505)) == {(1, 32, 40, True), (1, 256, 504, True), (1, 512, 512, True)}
    assert shapes((300, 1280)) == {(4, 304, 512, True)}
