"""Restores pictures of any size in overlapping tiles of one shape, so that the memory is bounded."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from deblurlab.pictures import Samples
from deblurlab.restoring.tiling import Axis, Cut

# Restores tiles, (B, 3, H, W) in [0, 1], to the same shape, float32, about [0, 1].
Restore = Callable[[Tensor], Tensor]

# The height and width, in pixels, of the middle of a picture from which a network makes its estimate of the whole.
_MIDDLE = 1024
# The eight flips and rotations: whether to mirror, and the number of quarter turns. The first changes nothing.
TURNS = [(mirrored, quarters) for mirrored in (False, True) for quarters in range(4)]


def restore(
    restore_of: Callable[[Tensor], Restore],
    picture: Samples,
    *,
    cut: Cut,
    device: torch.device,
    tta: bool = False,
    on_tile: Callable[[], object] = lambda: None,
) -> Samples:
    """Restore a picture tile by tile.

    Args:
        restore_of: Given a whole image, (1, 3, h, w), or its middle if it is large, returns the function that restores
            the image's tiles, on ``device``; h and w are at least 2. See
            :meth:`deblurlab.restoring.Restorer.restore_of`.
        picture: (H, W, 3) of type uint8, uint16, or float in [0, 1].
        cut: The tiles.
        device: The device of the network.
        tta: Average the network over the 8 flips and rotations of each tile.
        on_tile: Called after each tile.

    Returns:
        (H, W, 3) of the same type; floats are clamped to [0, 1].
    """

    def restored_tiles(pixels: Sequence[Samples]) -> list[Tensor]:
        """Restore tiles, (h, w, 3) of the picture's type, as one batch. Each result is (3, h, w) on the CPU."""
        missing = cut.batch - len(pixels) if cut.full_batches else 0
        batch = _as_images(np.stack([*pixels, *[pixels[-1]] * missing]), device)
        with torch.no_grad():  # not inference_mode: XLA cannot slice inference tensors
            results = averaged(turned, batch)
        for _ in pixels:
            on_tile()
        return list(results[: len(pixels)].cpu())

    height, width, _ = picture.shape
    middle = _as_images(picture[_middle(height)][None, :, _middle(width)], device)
    with torch.no_grad():
        turned = [restore_of(_turn(middle, *turn)) for turn in (TURNS if tta else TURNS[:1])]
    restored = np.empty_like(picture)
    carried = torch.zeros(3, 0, width)
    for row in range(cut.down.count):
        carried = _write_row(restored, _row(restored_tiles, picture, row, cut), carried, row, cut.down)
    return restored


def _top_value(dtype: np.dtype[Any]) -> float:
    """The value of full brightness for a dtype."""
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def _as_images(pixels: Samples, device: torch.device) -> Tensor:
    """(B, h, w, 3) of a picture's type to (B, 3, h, w) float32 in [0, 1]; bytes are scaled on the device."""
    sent = torch.from_numpy(pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32)).to(device)
    return sent.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format) / _top_value(pixels.dtype)


def _as_type(values: Tensor, dtype: np.dtype[Any]) -> Samples:
    """(3, h, w) about [0, 1] to (h, w, 3) of a picture's type: clamped and, for integers, rounded."""
    top = _top_value(dtype)
    scaled = values * top
    whole = scaled.round_() if np.issubdtype(dtype, np.integer) else scaled
    return whole.clamp_(0, top).permute(1, 2, 0).numpy().astype(dtype)


def _write_row(restored: Samples, band: Tensor, carried: Tensor, row: int, down: Axis) -> Tensor:
    """Write the finished pixels of a row of tiles, and return the others.

    Two rows of tiles overlap in ``blend`` rows of pixels, which are finished only with the lower row of tiles. They are
    returned as a copy, so that the rest of the band takes no memory while the network restores the next row.

    Args:
        restored: The picture to write to, (H, W, 3).
        band: The row of tiles, (3, h, W). It is modified.
        carried: The result of this function for the row above, (3, blend, W); (3, 0, W) for the first row.
        row: The number of the row of tiles.
        down: The tiles from top to bottom.
    """
    band *= down.weight(row)[:, None]
    band[:, : carried.shape[1]] += carried
    finished = band.shape[1] - (0 if row == down.count - 1 else down.blend)
    top = down.place(row).start
    restored[top : top + finished] = _as_type(band[:, :finished], restored.dtype)
    return band[:, finished:].clone()


def _row(restored_tiles: Callable[[Sequence[Samples]], list[Tensor]], picture: Samples, row: int, cut: Cut) -> Tensor:
    """Restore one row of tiles and blend them along the row, without the margins above and below: (3, h, W)."""
    down, across = cut.down, cut.across
    strip, kept = picture[down.source(row)], down.kept(row)
    band = torch.zeros(3, kept.stop - kept.start, across.size)
    for first in range(0, across.count, cut.batch):
        columns = range(first, min(first + cut.batch, across.count))
        tiles = restored_tiles([strip[:, across.source(column)] for column in columns])
        for column, tile in zip(columns, tiles, strict=True):
            band[:, :, across.place(column)] += tile[:, kept, across.kept(column)] * across.weight(column)
    return band


def _middle(size: int) -> npt.NDArray[np.int64]:
    """The indices of the middle rows or columns of a picture. There are at least two: a single one is repeated."""
    count = min(size, _MIDDLE)
    return (size - count) // 2 + np.arange(max(2, count)) % count


def averaged(restores: Sequence[Restore], images: Tensor) -> Tensor:
    """Restore flips and rotations of images, turn the results back, and average them.

    Lim et al. (2017, EDSR) call this self-ensemble.

    Args:
        restores: One function to restore the unchanged images, or eight, one for each flip and rotation.
        images: (B, 3, H, W).
    """
    if len(restores) == 1:
        return restores[0](images)
    total = torch.zeros_like(images)
    for restore, (mirrored, quarters) in zip(restores, TURNS, strict=False):
        back = torch.rot90(restore(_turn(images, mirrored, quarters)), -quarters, (-2, -1))
        total += back.flip(-1) if mirrored else back
    return total / len(restores)


def _turn(images: Tensor, mirrored: bool, quarters: int) -> Tensor:
    return torch.rot90(images.flip(-1) if mirrored else images, quarters, (-2, -1))
