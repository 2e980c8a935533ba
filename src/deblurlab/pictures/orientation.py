"""Reads and applies the orientation in a picture's EXIF (CIPA DC-008, tag 274), and nothing else of EXIF."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image


def orientation(image: Image.Image) -> int:
    """The orientation of an open picture, 1 to 8; 1, which is upright, if it is missing or invalid.

    Pillow's ``exif_transpose`` would write the whole EXIF again, and fails at any tag of an unusual type. PNG's own
    ``getexif`` decodes all pixels, because EXIF may follow them; that of the base class does not.
    """
    try:
        value = Image.Image.getexif(image).get(ExifTags.Base.Orientation)
    except Exception:  # a damaged EXIF raises errors of any type
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def turned(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Turn pixels upright.

    Args:
        pixels: (H, W, C) as they are stored.
        orientation: The sides of the upright picture at which the stored first row and first column are::

            1 top, left   2 top, right   3 bottom, right   4 bottom, left
            5 left, top   6 right, top   7 right, bottom   8 left, bottom

    Returns:
        (H, W, C), or (W, H, C) for 5 to 8; contiguous.
    """
    if orientation >= 5:  # the stored rows are the columns
        pixels = pixels.swapaxes(0, 1)
    bottom, right = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(pixels[:: -1 if bottom else 1, :: -1 if right else 1])
