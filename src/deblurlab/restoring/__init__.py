"""Restoring with trained networks: arrays of any size, photographs and videos; and export to other runtimes.

From Python, begin with :func:`load_restorer`::

    restorer = load_restorer("photographs")
    sharp = restorer.restore(picture)  # (H, W, 3) uint8, uint16 or float, or a torch batch (B, 3, H, W)

This package does not depend on how a network was configured or trained.
"""

from deblurlab.restoring.loading import load_restorer
from deblurlab.restoring.restorer import Restorer
from deblurlab.restoring.tiling import Tiling

__all__ = ["Restorer", "Tiling", "load_restorer"]
