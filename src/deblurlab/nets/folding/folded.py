"""Features whose rows are folded into channels, and how PyTorch's functions are applied to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

Function = Callable[..., Any]

_FOLDED_FORMS: dict[Function, Function] = {}


def folded_form_of(function: Function) -> Callable[[Function], Function]:
    """A decorator: the decorated function replaces a function of PyTorch whose first argument is folded.

    It takes the arguments of PyTorch's function, and returns NotImplemented if it does not support their values.
    """

    def register(folded_form: Function) -> Function:
        _FOLDED_FORMS[function] = folded_form
        return folded_form

    return register


def _operator(function: Function) -> Callable[[Folded, Any], Any]:
    return lambda features, other: function(features, other)


@dataclass(frozen=True, eq=False)
class Folded:
    """Features (B, C, H, W) as blocks of several rows. PyTorch's functions accept them like a Tensor.

    The rows of a block are channels side by side. Blocks start at the upper edge of the image, or one row above it::

        rows = 2, not shifted            rows = 2, shifted

        row 0 |                          (-)   |
        row 1 | block 0                  row 0 | block 0
        row 2 |                          row 1 |
        row 3 | block 1                  row 2 | block 1
                                         row 3 |
                                         (-)   | block 2

    The rows of the first and the last block of shifted features that lie outside of the image, (-), are padding.

    Attributes:
        blocks: (B, rows C, H / rows, W). Within a block, the rows are in the order of :func:`order`. Shifted features
            have one block more.
        rows: The number of rows of a block, a power of two. H is a multiple of it.
        parts: The number of channels of each of the concatenated features, which are folded separately. The sum is C.
        shifted: Whether the blocks start one row above the image.
        zero_padding: Whether the padding is known to be zero.
        activated: For the result of an activation function: the blocks before it, and the function. Batch
            normalisation is differentiated together with the activation function before it.
        other: For the result of a convolution: computes the same with ``shifted`` inverted, which is cheaper than
            moving rows from block to block.
    """

    blocks: Tensor
    rows: int
    parts: tuple[int, ...]
    shifted: bool = False
    zero_padding: bool = False
    activated: tuple[Tensor, Function] | None = None
    other: Callable[[], Folded] | None = None

    @classmethod
    def __torch_function__(
        cls, function: Function, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """PyTorch calls this instead of ``function`` if one of the arguments is folded."""
        kwargs = kwargs or {}
        if function in _FOLDED_FORMS and args and not isinstance(args[0], Tensor):
            result = _FOLDED_FORMS[function](*args, **kwargs)
            if result is not NotImplemented:
                return result
        return function(*_unfolded(args), **{name: _unfolded(value) for name, value in kwargs.items()})

    __add__ = __radd__ = _operator(torch.add)
    __mul__ = __rmul__ = _operator(torch.mul)
    __sub__, __truediv__ = _operator(torch.sub), _operator(torch.div)

    def like(
        self, blocks: Tensor, *, zero_padding: bool = False, activated: tuple[Tensor, Function] | None = None
    ) -> Folded:
        """Features of the same shape, in blocks that start at the same place."""
        return Folded(blocks, self.rows, self.parts, self.shifted, zero_padding, activated)

    @property
    def shape(self) -> torch.Size:
        """(B, C, H, W), as if nothing were folded."""
        batch, _, blocks, width = self.blocks.shape
        return torch.Size((batch, sum(self.parts), self.rows * (blocks - self.shifted), width))

    def dim(self) -> int:
        """The number of dimensions, which batch normalisation asks for."""
        return 4


def _unfolded(value: Any) -> Any:
    """Unfold a value, or all values in a list or tuple, where they are folded."""
    if isinstance(value, list | tuple):
        return type(value)(map(_unfolded, value))
    return unfold(value) if isinstance(value, Folded) else value


@cache
def order(rows: int) -> list[int]:
    """The order of the rows within a block: the even ones, then the odd ones, each half ordered in the same way.

    Pooling 2x2 pixels then takes the maximum of the two halves of a block, and leaves its result in the right order.
    """
    return [2 * row + odd for odd in (0, 1) for row in order(rows // 2)] if rows > 1 else [0]


def fold(images: Tensor, rows: int) -> Folded:
    """Fold images, (B, C, H, W), to unshifted blocks. H must be a multiple of ``rows``, a power of two."""
    blocks = torch.cat([images[:, :, row::rows] for row in order(rows)], dim=1)
    return Folded(blocks, rows, parts=(images.shape[1],))


def unfold(features: Folded) -> Tensor:
    """Convert folded features to a plain Tensor, (B, C, H, W)."""
    unfolded = [torch.stack(by_row, dim=3).flatten(2, 3) for by_row in rows_of_parts(features)]
    rows = torch.cat(unfolded, dim=1) if len(unfolded) > 1 else unfolded[0]
    return rows[:, :, 1 : 1 - features.rows] if features.shifted else rows  # all but the padding


def rows_of_parts(features: Folded) -> Iterator[list[Tensor]]:
    """For each part, yield the rows of all blocks from top to bottom: a list of (B, part, blocks, W)."""
    places = [order(features.rows).index(row) for row in range(features.rows)]
    for part in features.blocks.split_with_sizes([features.rows * part for part in features.parts], dim=1):
        stored = part.chunk(features.rows, dim=1)
        yield [stored[place] for place in places]
