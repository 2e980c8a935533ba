"""Parts of a picture, with the pixels around them."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from deblurlab.data.pixels import Pixels
from deblurlab.pictures.reflection import reflected


class Window(NamedTuple):
    """A part of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int

    def wider(self, margin: int) -> "Window":
        """The window with a margin on each side, which may lie outside the picture."""
        top, left, height, width = self
        return Window(top - margin, left - margin, height + 2 * margin, width + 2 * margin)

    def positions(self, origin: tuple[float, float]) -> tuple[Tensor, Tensor]:
        """The positions of the rows and the columns relative to ``origin``, (height,) and (width,) float32."""
        rows, columns = torch.arange(self.height), torch.arange(self.width)
        return rows + (self.top - origin[0]), columns + (self.left - origin[1])

    def ends(self, origin: tuple[float, float]) -> tuple[Tensor, Tensor]:
        """The positions of the first and the last row, and of the first and the last column, relative to ``origin``."""
        rows, columns = self.positions(origin)
        return rows[[0, -1]], columns[[0, -1]]


def cut(picture: Pixels, window: Window) -> Pixels:
    """Cut a window out of a picture. Outside the picture it is mirrored, without repeating the pixel at the edge.

    Args:
        picture: (H, W, 3).
        window: The window, which may extend beyond the picture.
    """
    rows = reflected(np.arange(window.top, window.top + window.height), picture.shape[0])
    columns = reflected(np.arange(window.left, window.left + window.width), picture.shape[1])
    return picture.take(rows, axis=0).take(columns, axis=1)


def trimmed(light: Tensor, margin: int) -> Tensor:
    """Remove a margin on each side of (3, H, W)."""
    return light[:, margin : light.shape[1] - margin, margin : light.shape[2] - margin]
