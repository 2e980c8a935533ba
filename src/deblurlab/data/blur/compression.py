"""What JPEG compression leaves of a picture."""

import io

import numpy as np
from PIL import Image

from deblurlab.data.pixels import Pixels


def compressed(pixels: Pixels, *, quality: int, subsampled: bool) -> Pixels:
    """A picture as it is after it was saved as a JPEG.

    Args:
        pixels: (H, W, 3).
        quality: libjpeg's, from 1 to 100.
        subsampled: Save the colours at half the size in both directions (4:2:0), as most telephones do.
    """
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=2 if subsampled else 0)
        return np.asarray(Image.open(stream))
