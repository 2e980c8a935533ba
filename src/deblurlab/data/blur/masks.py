"""The outlines of objects."""

import numpy as np
import torch
from torch import Tensor

# The width of the soft edge of an object, in pixels.
_EDGE = 1.5


def blob(rows: Tensor, columns: Tensor, radius: float, rng: np.random.Generator) -> Tensor:
    """A mask with a random round outline with bays and bulges, and a soft edge.

    Args:
        rows: (H,), the distance of each row down from the object's centre, in pixels.
        columns: (W,), the distance of each column to the right of it, in pixels.
        radius: The mean radius of the object in pixels.
        rng: The random number generator.

    Returns:
        (1, H, W): 1 inside, 0 outside.
    """
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    angle, distance = torch.atan2(y, x), torch.hypot(x, y)
    outline = torch.full_like(x, radius)
    for waves in (1, 2, 3, 4, 5):
        outline += radius * rng.normal(0, 0.25 / waves) * torch.cos(waves * angle + rng.uniform(0, 2 * np.pi))
    return ((outline - distance) / _EDGE + 0.5).clamp(0, 1)[None]
