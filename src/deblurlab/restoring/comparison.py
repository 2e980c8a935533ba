"""A picture before and after, side by side, each with a caption above."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Bytes = npt.NDArray[np.uint8]

_LONGEST = 65_500  # pixels: the largest side of a JPEG that libjpeg writes


def side_by_side(before: Bytes, after: Bytes) -> Image.Image:
    """Put two (H, W, 3) pictures of equal size side by side, below a band with the words "before" and "after".

    The band is a twentieth of the picture's height, but at least 18 pixels. Pictures that are too large for a JPEG are
    shrunk.
    """
    pictures = [Image.fromarray(pixels) for pixels in (before, after)]
    for picture in pictures:
        picture.thumbnail((_LONGEST // 2, _LONGEST * 20 // 21))
    width, height = pictures[0].size
    band = max(18, height // 20)
    sheet = Image.new("RGB", (2 * width, band + height), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=0.65 * band)
    for number, (name, picture) in enumerate(zip(("before", "after"), pictures, strict=True)):
        sheet.paste(picture, (number * width, band))
        draw.text(((number + 0.5) * width, band / 2), name, fill="black", font=font, anchor="mm")
    return sheet
