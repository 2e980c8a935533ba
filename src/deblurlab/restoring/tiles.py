"""Pictures of any size through a network: cut to overlapping tiles of one shape, so that the memory is bounded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from deblurlab.checks import require

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


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How a picture is cut into tiles. Along one axis, two neighbouring tiles lie like this::

        |<------------------ side ----------------->|
        | margin | blend |   own   | blend | margin |
                          | margin | blend |   own   | blend | margin |

    Attributes:
        side: Height and width of a tile in pixels; 0 takes each picture whole, which needs memory in proportion to
            the picture.
        margin: Width in pixels of the border of a tile that the network sees and whose result is thrown away. If it
            is as wide as the network looks, tiles give what the whole picture gives.
        blend: Width in pixels of the zone inside the margin in which two neighbouring tiles fade into each other.

    Raises:
        ValueError: if a number is no whole number of pixels, or nothing of a tile is left between its margins.
    """

    side: int = 512
    margin: int = 48
    blend: int = 16

    def __post_init__(self) -> None:
        for name, value in (("tile", self.side), ("margin", self.margin), ("blend", self.blend)):
            require.whole_number(name, value, of="pixels")
        if min(self.margin, self.blend, self.side) < 0 or 0 < self.side <= 2 * (self.margin + self.blend):
            raise ValueError(
                f"tile={self.side} must be 0 or more than twice margin={self.margin} and blend={self.blend} together."
            )


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """The tiles along one axis of a picture, all numbers in pixels. A tile gives ``step + blend`` pixels.

    Attributes:
        size: Height or width of the picture.
        side: Height or width of a tile.
        step: Distance from the start of one tile to the start of the next. The first tile starts at ``-margin``.
        margin: As in :class:`Tiling`, rounded up to the network's multiple.
        blend: As in :class:`Tiling`.
    """

    size: int
    side: int
    step: int
    margin: int
    blend: int

    @classmethod
    def of(cls, size: int, tiling: Tiling, multiple: int) -> "_Axis":
        # Tiles start at multiples of `multiple`, so that a network that pools sees the blocks of the whole picture.
        margin = -(-tiling.margin // multiple) * multiple
        if not tiling.side:
            side = 2 * margin + -(-size // multiple) * multiple
            return cls(size=size, side=side, step=size, margin=margin, blend=0)
        side = tiling.side // multiple * multiple
        step = (side - 2 * margin - tiling.blend) // multiple * multiple
        if step < max(1, tiling.blend):  # three tiles would overlap in one place, and the weights are made for two
            raise ValueError(
                f"tile={tiling.side} is too small for margin={tiling.margin} and blend={tiling.blend}: this network's "
                f"tiles and margins are multiples of {multiple}."
            )
        return cls(size=size, side=side, step=step, margin=margin, blend=tiling.blend)

    @property
    def count(self) -> int:
        """The number of tiles."""
        return max(1, -(-(self.size - self.blend) // self.step))

    def source(self, tile: int) -> npt.NDArray[np.int64]:
        """The index of the picture's pixel under each pixel of a tile, (side,).

        Beyond its borders the picture is continued by its reflection, to and fro if it is smaller than the margin.
        """
        if self.size == 1:
            return np.zeros(self.side, np.int64)
        period = 2 * (self.size - 1)  # 0 1 2 3 2 1 | 0 1 2 ... for a size of 4
        position = np.abs(np.arange(self.side) + tile * self.step - self.margin) % period
        reflected: npt.NDArray[np.int64] = np.minimum(position, period - position)
        return reflected

    def weight(self, tile: int) -> Tensor:
        """The share of a tile in each pixel that it gives, (step + blend,). Over all tiles, the shares add up to 1."""
        weight = torch.ones(self.step + self.blend)
        ramp = torch.linspace(0, 1, self.blend + 2)[1:-1]
        if tile > 0:
            weight[: self.blend] = ramp
        if tile < self.count - 1:
            weight[self.step :] = 1 - ramp
        return weight


def count(height: int, width: int, tiling: Tiling, multiple: int) -> int:
    """How many tiles a picture is cut to.

    Args:
        height: Height of the picture in pixels.
        width: Its width.
        tiling: How it is cut.
        multiple: The network's ``size_multiple``.

    Raises:
        ValueError: if the tiles are too small for a network whose sides are multiples of ``multiple``.
    """
    return _Axis.of(height, tiling, multiple).count * _Axis.of(width, tiling, multiple).count


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
    down, across = (_Axis.of(size, tiling, network.size_multiple) for size in (height, width))

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


def _bands(down: _Axis, row: Callable[[int], Tensor]) -> Iterator[tuple[int, Tensor]]:
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


def _row(restored_tile: Callable[[Picture], Tensor], picture: Picture, row: int, down: _Axis, across: _Axis) -> Tensor:
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
