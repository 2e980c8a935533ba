"""The effect of JPEG compression on a picture."""

import io

import numpy as np
from PIL import Image

from deblurlab.data.pixels import Pixels


def compressed(pixels: Pixels, *, quality: int, subsampled: bool) -> Pixels:
    """Save a picture as a JPEG and read it again.

    Args:
        pixels: (H, W, 3).
        quality: libjpeg's quality, from 1 to 100.
        subsampled: Save the colours at half the size in both directions (4:2:0), as most telephones do.

    Returns:
        (H, W, 3).
    """
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=2 if subsampled else 0)
        return np.asarray(Image.open(stream))
