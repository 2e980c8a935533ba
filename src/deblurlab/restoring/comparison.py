"""A picture before and after, side by side, each with a caption above."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Bytes = npt.NDArray[np.uint8]

_LONGEST = 65_500  # pixels: the largest side of a JPEG that libjpeg writes


def side_by_side(before: Bytes, after: Bytes) -> Image.Image:
    """Put two (H, W, 3) pictures of equal size side by side, below a band with the words "before" and "after".

    The band is a twentieth of the picture's height, or less if a word would not fit its width, but at least 18 pixels.
    A picture that is narrower than its word then has white at both sides. Pictures that are too large for a JPEG are
    shrunk.
    """
    pictures = [Image.fromarray(pixels) for pixels in (before, after)]
    for picture in pictures:
        picture.thumbnail((_LONGEST // 2, _LONGEST * 20 // 21))
    width, height = pictures[0].size
    names = ("before", "after")
    band = max(18, min(height // 20, width // 3))
    font = ImageFont.load_default(size=0.65 * band)
    column = max(width, *(math.ceil(font.getlength(f" {name} ")) for name in names))
    sheet = Image.new("RGB", (2 * column, band + height), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (name, picture) in enumerate(zip(names, pictures, strict=True)):
        sheet.paste(picture, (number * column + (column - width) // 2, band))
        draw.text(((number + 0.5) * column, band / 2), name, fill="black", font=font, anchor="mm")
    return sheet
