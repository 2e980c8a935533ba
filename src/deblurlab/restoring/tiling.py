"""The geometry of tiles: where they lie in a picture, and the weight of each tile in each pixel."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from deblurlab.checks import require
from deblurlab.pictures.reflection import reflected

_LEAST_SIDE = 32  # pixels: the size of the smallest training images; a smaller picture is padded to it


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """The size and overlap of a picture's tiles. Along one axis, a tile and its two neighbours lie like this::

         ... own | blend | margin |
        | margin | blend |   own   | blend | margin |
                          | margin | blend | own ...

    Attributes:
        side: Height and width of a tile in pixels; 0 restores each picture as a whole, which needs memory in proportion
            to the picture.
        margin: Width in pixels of the border towards another tile that the network sees and whose result is discarded.
            If it is as wide as the network's reach, the result equals that of the whole picture.
        blend: Width in pixels of the zone inside the margin in which two neighbouring tiles are blended.

    Raises:
        ValueError: If a number is not a whole number of pixels, or nothing of a tile is left between its margins.
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
class Axis:
    """The tiles along one axis of a picture, all numbers in pixels.

    Nothing is discarded at the borders of the picture: networks are trained on patches with such borders, and padding
    the picture by its reflection made the result there worse, not better.

    Attributes:
        size: Height or width of the picture.
        padded: The end of the last tile: at least ``size``, rounded up to a multiple that the network takes.
        side: Height or width of a tile.
        step: Distance from the start of one tile to the start of the next. The first tile starts with the picture, and
            the last one may start earlier than a step after the one before.
        margin: As in :class:`Tiling`.
        blend: As in :class:`Tiling`.
    """

    size: int
    padded: int
    side: int
    step: int
    margin: int
    blend: int

    @classmethod
    def of(cls, size: int, tiling: Tiling, multiple: int) -> "Axis":
        """The tiles of ``tiling``. A picture that is shorter than a tile has one tile of its own length.

        Raises:
            ValueError: If the tiles are too small for a network whose sides are multiples of ``multiple``.
        """
        if not tiling.side:
            return cls.divided(size, 1, margin=tiling.margin, blend=tiling.blend, multiple=multiple)
        # Tiles start at multiples of `multiple`, so that pooling forms the same blocks as in the whole picture.
        side = tiling.side // multiple * multiple
        step = (side - 2 * tiling.margin - tiling.blend) // multiple * multiple
        if step < max(1, tiling.blend):  # three tiles would overlap in one place, but the weights are for two
            raise ValueError(
                f"tile={tiling.side} is too small for margin={tiling.margin} and blend={tiling.blend}: this network's "
                f"tiles are multiples of {multiple}."
            )
        if side >= _rounded_up(size, multiple):
            return cls.divided(size, 1, margin=tiling.margin, blend=tiling.blend, multiple=multiple)
        padded = _rounded_up(size, multiple)
        return cls(size=size, padded=padded, side=side, step=step, margin=tiling.margin, blend=tiling.blend)

    @classmethod
    def divided(cls, size: int, count: int, *, margin: int, blend: int, multiple: int) -> "Axis":
        """At most ``count`` tiles, as short as possible, so that the last one hardly extends beyond the picture."""
        padded = _rounded_up(max(size, _LEAST_SIDE), multiple)
        if count == 1:
            return cls(size=size, padded=padded, side=padded, step=padded, margin=margin, blend=blend)
        shared = 2 * margin + blend
        step = max(-(-(size - shared) // count), blend, 1)  # as in `of`, no more than two tiles overlap in one place
        step = _rounded_up(step, multiple)
        side = _rounded_up(step + shared, multiple)
        return cls(size=size, padded=max(padded, side), side=side, step=step, margin=margin, blend=blend)

    @property
    def count(self) -> int:
        """The number of tiles."""
        return 1 + -(-(self.padded - self.side) // self.step)

    def source(self, tile: int) -> npt.NDArray[np.int64]:
        """The index of the picture's pixel for each pixel of a tile, (side,).

        Beyond its end the picture is reflected, repeatedly if it is small.
        """
        return reflected(np.arange(self.side) + self._start(tile), self.size)

    def place(self, tile: int) -> slice:
        """The pixels of the picture that come from a tile, alone or blended with another tile."""
        first, last = tile == 0, tile == self.count - 1
        start = tile * self.step + self.margin
        return slice(0 if first else start, self.size if last else start + self.step + self.blend)

    def kept(self, tile: int) -> slice:
        """The position of the pixels of :meth:`place` in the tile."""
        place, start = self.place(tile), self._start(tile)
        return slice(place.start - start, place.stop - start)

    def _start(self, tile: int) -> int:
        return min(tile * self.step, self.padded - self.side)

    def weight(self, tile: int) -> Tensor:
        """The weight of a tile in each pixel of :meth:`place`. Over all tiles, the weights add up to 1."""
        place = self.place(tile)
        weight = torch.ones(place.stop - place.start)
        ramp = torch.linspace(0, 1, self.blend + 2)[1:-1]
        if tile > 0:
            weight[: self.blend] = ramp
        if tile < self.count - 1:
            weight[len(weight) - self.blend :] = 1 - ramp
        return weight


def _rounded_up(pixels: int, multiple: int) -> int:
    return -(-pixels // multiple) * multiple


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The tiles of one picture: those of :attr:`down` times those of :attr:`across`.

    Attributes:
        down: The tiles from top to bottom.
        across: The tiles from left to right.
        batch: The number of tiles that the network restores at a time.
        full_batches: Whether every batch is filled up to that number, so that XLA compiles a single shape.
    """

    down: Axis
    across: Axis
    batch: int = 1
    full_batches: bool = False

    @classmethod
    def of(cls, height: int, width: int, tiling: Tiling, multiple: int) -> "Cut":
        """The cut of a picture into tiles of one size.

        Args:
            height: The height of the picture in pixels.
            width: The width of the picture in pixels.
            tiling: The size and overlap of the tiles.
            multiple: The network's ``size_multiple``.

        Raises:
            ValueError: If the tiles are too small for a network whose sides are multiples of ``multiple``.
        """
        return cls(down=Axis.of(height, tiling, multiple), across=Axis.of(width, tiling, multiple))

    @property
    def count(self) -> int:
        """The number of tiles."""
        return self.down.count * self.across.count

    @property
    def tile_pixels(self) -> int:
        """The number of pixels of a tile."""
        return self.down.side * self.across.side
