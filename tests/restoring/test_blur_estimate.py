"""Whether a picture has hardly any blur is read from how wide its edges are."""

from pathlib import Path

import numpy as np
import pytest

from deblurlab.data.blur.kernels import apply_kernel, gaussian_kernel
from deblurlab.data.pixels import decode_file
from deblurlab.restoring.blur_estimate import _kept_steepness, hardly_blurred


def squares(side: int = 160) -> np.ndarray:
    """Grey squares of 20 pixels with sharp borders, (side, side, 3) uint8."""
    levels = np.random.default_rng(0).integers(0, 256, (side // 20, side // 20), dtype=np.uint8)
    return np.repeat(levels.repeat(20, 0).repeat(20, 1)[..., None], 3, axis=2)


@pytest.mark.parametrize(("width", "kept"), [(1, 1 / 3), (2, 2 / 3), (4, 5 / 6)])
def test_an_edge_keeps_what_its_width_says(width: int, kept: float) -> None:
    """Of the steps of a ramp, those at both ends keep 2/3 and those between keep all."""
    up = np.concatenate([np.zeros(20), np.linspace(0, 1, width + 1)[1:], np.ones(20)])
    line = np.concatenate([up, up[::-1]] * 4).astype(np.float32)
    assert _kept_steepness(np.tile(line, (16, 1))) == pytest.approx(kept, abs=1e-5)


def test_what_is_told_of_drawn_pictures() -> None:
    sharp = squares()
    random = np.random.default_rng(1)
    assert hardly_blurred(sharp)
    assert hardly_blurred(sharp.astype(np.uint16) * 257)
    assert hardly_blurred(sharp + random.normal(0, 3, sharp.shape))
    assert not hardly_blurred(apply_kernel(sharp, gaussian_kernel(1.5)))
    along_the_rows = np.zeros((9, 9))
    along_the_rows[4] = 1 / 9
    assert not hardly_blurred(apply_kernel(sharp, along_the_rows))
    assert not hardly_blurred(apply_kernel(sharp, gaussian_kernel(1.5)) + random.normal(0, 8, sharp.shape))
    assert not hardly_blurred(random.uniform(0, 255, sharp.shape))
    assert not hardly_blurred(np.zeros_like(sharp))
    assert not hardly_blurred(sharp[:8])


def test_what_is_told_of_photographs(real_data: Path) -> None:
    for file in sorted((real_data / "kodak").iterdir())[::12]:
        sharp = decode_file(file)[100:400, 100:400]
        assert hardly_blurred(sharp), file
        assert not hardly_blurred(apply_kernel(sharp, gaussian_kernel(1.5))), file
