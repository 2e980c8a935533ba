"""Pictures of any size through a network: cut to overlapping tiles of one shape, so that the memory is bounded."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from deblurlab.restoring.tiling import Axis, Tiling

Picture = npt.NDArray[Any]


class TileNetwork(Protocol):
    """What tiles ask of a network, such as :class:`deblurlab.restoring.Restorer`.

    Attributes:
        size_multiple: Height and width of what the network takes are multiples of this.
    """

    size_multiple: int

    def __call__(self, tile: Tensor, /) -> Tensor:
        """(B, 3, H, W) in [0, 1] to the same shape, float32, about [0, 1]."""
        ...


def restore(
    network: TileNetwork,
    picture: Picture,
    *,
    tiling: Tiling,
    device: torch.device,
    tta: bool = False,
    on_tile: Callable[[], None] = lambda: None,
) -> Picture:
    """Restore a picture tile by tile.

    Args:
        network: The network, on ``device``.
        picture: (H, W, 3) of type uint8, uint16, or float in [0, 1].
        tiling: How the picture is cut.
        device: Where the network runs. It is given one tile after the other.
        tta: Average the network over the 8 flips and rotations of each tile.
        on_tile: Called after each tile.

    Returns:
        (H, W, 3) of the same type; floats are clamped to [0, 1].

    Raises:
        ValueError: if the tiles are too small for the network.
    """
    height, width = picture.shape[:2]
    down, across = (Axis.of(size, tiling, network.size_multiple) for size in (height, width))

    def restored_tile(pixels: Picture) -> Tensor:
        """One tile, (side, side, 3) of the picture's type, through the network: (3, side, side) on the CPU."""
        scaled = pixels.astype(np.float32) / _top_value(picture.dtype)
        tile = torch.from_numpy(scaled).permute(2, 0, 1)[None].to(device)
        with torch.no_grad():  # not inference_mode: XLA cannot slice inference tensors
            result = averaged(network, tile) if tta else network(tile)
        on_tile()
        return result[0].cpu()

    restored = np.empty_like(picture)
    for top, band in _bands(down, lambda row: _row(restored_tile, picture, row, down, across)):
        rows = band[:, : height - top].permute(1, 2, 0).numpy()
        restored[top : top + len(rows)] = _as_type(rows, picture.dtype)
    return restored


def _top_value(dtype: np.dtype[Any]) -> float:
    """The value that stands for full brightness."""
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def _as_type(values: npt.NDArray[np.float32], dtype: np.dtype[Any]) -> Picture:
    """Values about [0, 1] as a picture's type stores them: clamped, and rounded if it is a type of whole numbers."""
    top = _top_value(dtype)
    scaled = values * top
    return (scaled.round() if np.issubdtype(dtype, np.integer) else scaled).clip(0, top).astype(dtype)


def _bands(down: Axis, row: Callable[[int], Tensor]) -> Iterator[tuple[int, Tensor]]:
    """Yield finished rows of the picture from top to bottom: where they start, and their values, (3, h, W).

    Two rows of tiles overlap in ``blend`` rows of pixels. Those are kept back until the lower row of tiles is there.
    """
    carried = torch.zeros(0)
    for tile in range(down.count):
        band = row(tile) * down.weight(tile)[:, None]
        if tile:
            band[:, : down.blend] += carried
        carried = band[:, down.step :]
        yield tile * down.step, band if tile == down.count - 1 else band[:, : down.step]


def _row(restored_tile: Callable[[Picture], Tensor], picture: Picture, row: int, down: Axis, across: Axis) -> Tensor:
    """One row of tiles, blended along the row and without the margins, (3, step + blend, W)."""
    strip = picture[down.source(row)]
    band = torch.zeros(3, down.step + down.blend, across.count * across.step + across.blend)
    middle = [slice(axis.margin, axis.margin + axis.step + axis.blend) for axis in (down, across)]
    for column in range(across.count):
        tile = restored_tile(strip[:, across.source(column)])
        left = column * across.step
        band[:, :, left : left + across.step + across.blend] += tile[:, *middle] * across.weight(column)
    return band[:, :, : across.size]


def averaged(network: TileNetwork, images: Tensor) -> Tensor:
    """The mean over the 8 flips and rotations of (B, 3, H, W), each turned back.

    Lim et al. (2017, EDSR) call this the self-ensemble.
    """
    total = torch.zeros_like(images)
    for flipped in (False, True):
        for turns in range(4):
            turned = torch.rot90(images.flip(-1) if flipped else images, turns, (-2, -1))
            back = torch.rot90(network(turned), -turns, (-2, -1))
            total += back.flip(-1) if flipped else back
    return total / 8
