"""Trained networks at work: on arrays of any size, on photographs and videos, and in formats of other runtimes.

From Python, :func:`load_restorer` is the way in::

    restorer = load_restorer("photographs")
    sharp = restorer.restore(picture)  # (H, W, 3) uint8, uint16 or float, or a torch batch (B, 3, H, W)

Nothing here knows how a network was configured or trained.
"""

from deblurlab.restoring.loading import load_restorer
from deblurlab.restoring.restorer import Restorer
from deblurlab.restoring.tiling import Tiling

__all__ = ["Restorer", "Tiling", "load_restorer"]
