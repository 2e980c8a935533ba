"""The outlines of objects."""

import numpy as np
import torch
from torch import Tensor

# How wide the soft edge of an object is, in pixels.
_EDGE = 1.5


def blob(rows: Tensor, columns: Tensor, radius: float, rng: np.random.Generator) -> Tensor:
    """A random round outline with bays and bulges, softly edged.

    Args:
        rows: (H,) places in pixels down from the object's centre.
        columns: (W,) places in pixels to the right of it.
        radius: Its mean radius in pixels.
        rng: Where the random numbers come from.

    Returns:
        (1, H, W): 1 inside, 0 outside.
    """
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    angle, distance = torch.atan2(y, x), torch.hypot(x, y)
    outline = torch.full_like(x, radius)
    for waves in (1, 2, 3, 4, 5):
        outline += radius * rng.normal(0, 0.25 / waves) * torch.cos(waves * angle + rng.uniform(0, 2 * np.pi))
    return ((outline - distance) / _EDGE + 0.5).clamp(0, 1)[None]
