"""The contracts between the folders: what a data module feeds, what a task asks of a network and of a loss."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from torch import Tensor

Split = Literal["train", "val", "test"]


class Pair(NamedTuple):
    """A batch of image pairs on the training device.

    Attributes:
        blurred: (B, 3, H, W) float32 in [0, 1].
        sharp: (B, 3, H, W) float32 in [0, 1], aligned with ``blurred`` pixel by pixel.
        valid: (B,) bool, False for rows that only fill up the last evaluation batch: shapes stay
            static, and scores leave those rows out.
        grid: rows and columns of the patches that the network takes an image in; (1, 1) for an image at once.
    """

    blurred: Tensor
    sharp: Tensor
    valid: Tensor
    grid: tuple[int, int] = (1, 1)


def cut(images: Tensor, grid: tuple[int, int]) -> Tensor:
    """(B, C, H, W) images to (B * rows * columns, C, H / rows, W / columns) patches: image by image, row by row."""
    (rows, columns), (batch, channels, height, width) = grid, images.shape
    cells = images.reshape(batch, channels, rows, height // rows, columns, width // columns)
    return cells.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, height // rows, width // columns)


def assemble(patches: Tensor, grid: tuple[int, int]) -> Tensor:
    """The images that :func:`cut` made these patches of."""
    (rows, columns), (count, channels, height, width) = grid, patches.shape
    cells = patches.reshape(count // (rows * columns), rows, columns, channels, height, width)
    return cells.permute(0, 3, 1, 4, 2, 5).reshape(-1, channels, rows * height, columns * width)


class ContentLoss(Protocol):
    """A loss that compares restored with sharp images, such as :class:`deblurlab.losses.LogCosh`."""

    def __call__(self, restored: Tensor, sharp: Tensor, /) -> Tensor:
        """Two (B, 3, H, W) batches, float32, about [0, 1] and not clamped, to one value per image, (B,)."""
        ...


@runtime_checkable
class Evaluable(Protocol):
    """What commands ask of a data module after a test."""

    def examples(self, split: Literal["val", "test"], rows: Sequence[int]) -> Pair:
        """The images of a split whose indices are ``rows``, in that order, on the CPU."""
        ...

    def labels(self, split: Literal["val", "test"]) -> dict[str, Sequence[Any]]:
        """What is known of each image of a split, one column per fact: its file, the sigma of its blur."""
        ...
