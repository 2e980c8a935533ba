"""What happens beside training: records, pictures, progress."""

from deblurlab.callbacks.history import History
from deblurlab.callbacks.panel import Panel
from deblurlab.callbacks.per_image import PerImage
from deblurlab.callbacks.progress import Progress

__all__ = ["History", "Panel", "PerImage", "Progress"]
