"""What every task is fed: a batch of blurred and sharp images."""

from typing import NamedTuple

from torch import Tensor


class Pair(NamedTuple):
    """A batch of image pairs on the training device.

    Attributes:
        blurred: (B, 3, H, W) float32 in [0, 1].
        sharp: (B, 3, H, W) float32 in [0, 1], aligned with ``blurred`` pixel by pixel.
        valid: (B,) bool, False for rows that only fill up the last evaluation batch: shapes stay
            static, and scores leave those rows out.
    """

    blurred: Tensor
    sharp: Tensor
    valid: Tensor
