"""Pictures of any size through a network, by overlapping tiles of one shape, in bounded memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from deblurlab.restoring.restorer import Restorer

Picture = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How a picture is cut: tiles of ``side`` pixels, each pixel in its middle taken from at most four of them.

    Attributes:
        side: height and width of a tile; 0 takes each picture whole, which needs memory in proportion.
        margin: pixels at a tile's edges that are only looked at. As wide as the network looks, tiles give what
            the whole picture gives.
        blend: pixels inside the margin over which neighbouring tiles fade into each other.
    """

    side: int = 512
    margin: int = 48
    blend: int = 16

    def __post_init__(self) -> None:
        for name, value in (("tile", self.side), ("margin", self.margin), ("blend", self.blend)):
            if not isinstance(value, int):
                raise ValueError(f"{name} must be a whole number of pixels, got {value}.")
        if min(self.margin, self.blend, self.side) < 0 or 0 < self.side <= 2 * (self.margin + self.blend):
            raise ValueError(
                f"tile={self.side} must be 0 or more than twice margin={self.margin} and blend={self.blend} together."
            )


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """The tiles along one axis of a picture: they start every ``step`` pixels, the first at ``-margin``."""

    size: int
    side: int
    step: int
    margin: int
    blend: int

    @classmethod
    def of(cls, size: int, tiling: Tiling, multiple: int) -> "_Axis":
        """Tiles start at multiples of ``multiple``: a network that pools sees the same blocks as in the whole."""
        margin = -(-tiling.margin // multiple) * multiple
        if not tiling.side:
            side = 2 * margin + -(-size // multiple) * multiple
            return cls(size=size, side=side, step=size, margin=margin, blend=0)
        side = tiling.side // multiple * multiple
        step = (side - 2 * margin - tiling.blend) // multiple * multiple
        if step < max(1, tiling.blend):  # else three tiles would overlap
            raise ValueError(
                f"tile={tiling.side} is too small for margin={tiling.margin} and blend={tiling.blend}: this network's "
                f"tiles and margins are multiples of {multiple}."
            )
        return cls(size=size, side=side, step=step, margin=margin, blend=tiling.blend)

    @property
    def count(self) -> int:
        return max(1, -(-(self.size - self.blend) // self.step))

    def source(self, tile: int) -> npt.NDArray[np.int64]:
        """The picture's pixels under a tile, (side,): reflected at the borders as often as it takes."""
        period = max(1, 2 * (self.size - 1))
        position = np.abs(np.arange(self.side) + tile * self.step - self.margin) % period
        return np.minimum(position, period - position) if self.size > 1 else np.zeros(self.side, np.int64)

    def weight(self, tile: int) -> Tensor:
        """How much of each pixel between the margins comes from a tile, (step + blend,); over all tiles 1."""
        weight = torch.ones(self.step + self.blend)
        ramp = torch.linspace(0, 1, self.blend + 2)[1:-1]
        if tile > 0:
            weight[: self.blend] = ramp
        if tile < self.count - 1:
            weight[self.step :] = 1 - ramp
        return weight


def tiles(height: int, width: int, tiling: Tiling, multiple: int) -> int:
    """How many tiles a picture takes.

    Raises:
        ValueError: if tiles of a network whose sides are multiples of ``multiple`` cannot be so small.
    """
    return _Axis.of(height, tiling, multiple).count * _Axis.of(width, tiling, multiple).count


def restore(
    restorer: Restorer,
    picture: Picture,
    *,
    tiling: Tiling,
    device: torch.device,
    tta: bool = False,
    on_tile: Callable[[], None] = lambda: None,
) -> Picture:
    """A blurred picture restored.

    Args:
        restorer: the network, on ``device``.
        picture: (H, W, 3) uint8 or uint16.
        tiling: how to cut it.
        device: where the network runs. It is given one tile after the other.
        tta: average the network over the 8 flips and rotations of each tile.
        on_tile: called after each tile.

    Returns:
        (H, W, 3) of the same type.
    """
    height, width = picture.shape[:2]
    down, across = (_Axis.of(size, tiling, restorer.size_multiple) for size in (height, width))
    top_value = float(np.iinfo(picture.dtype).max)
    restored = np.empty_like(picture)
    for top, band in _bands(down, lambda row: _row(restorer, picture, row, down, across, device, tta, on_tile)):
        rows = (band[:, : height - top] * top_value).round().clamp(0, top_value)
        restored[top : top + rows.shape[1]] = rows.permute(1, 2, 0).numpy().astype(picture.dtype)
    return restored


def _bands(down: _Axis, row: Callable[[int], Tensor]) -> Iterator[tuple[int, Tensor]]:
    """Finished rows of the picture from top to bottom: where they start, and their values, (3, h, W)."""
    carried = torch.zeros(0)
    for tile in range(down.count):
        band = row(tile) * down.weight(tile)[:, None]
        if tile:
            band[:, : down.blend] += carried
        carried = band[:, down.step :]
        yield tile * down.step, band if tile == down.count - 1 else band[:, : down.step]


def _row(
    restorer: Restorer,
    picture: Picture,
    row: int,
    down: _Axis,
    across: _Axis,
    device: torch.device,
    tta: bool,
    on_tile: Callable[[], None],
) -> Tensor:
    """One row of tiles blended along it, (3, step + blend, W)."""
    strip = picture[down.source(row)]
    band = torch.zeros(3, down.step + down.blend, across.count * across.step + across.blend)
    middle = [slice(axis.margin, axis.margin + axis.step + axis.blend) for axis in (down, across)]
    for column in range(across.count):
        pixels = strip[:, across.source(column)].astype(np.float32) / np.iinfo(picture.dtype).max
        tile = torch.from_numpy(pixels).permute(2, 0, 1)[None].to(device)
        with torch.no_grad():  # XLA slices no inference tensors
            result = (averaged(restorer, tile) if tta else restorer(tile))[0].cpu()
        left = column * across.step
        band[:, :, left : left + across.step + across.blend] += result[:, *middle] * across.weight(column)
        on_tile()
    return band[:, :, : across.size]


def averaged(restorer: Restorer, images: Tensor) -> Tensor:
    """The mean over the 8 flips and rotations of (B, 3, H, W), each turned back (the "self-ensemble" of EDSR, Lim
    et al., 2017).
    """
    total = torch.zeros_like(images)
    for flipped in (False, True):
        for turns in range(4):
            turned = torch.rot90(images.flip(-1) if flipped else images, turns, (-2, -1))
            back = torch.rot90(restorer(turned), -turns, (-2, -1))
            total += back.flip(-1) if flipped else back
    return total / 8
