"""A picture: its samples as its file stores them, and the properties needed to show them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deblurlab.pictures.orientation import turned

Samples = npt.NDArray[Any]

# The conversions of samples that networks and screens cannot use.
CMYK_TO_RGB = "CMYK became RGB"
ONE_BIT_TO_8 = "one bit per pixel became 8"


class RefusedPictureError(Exception):
    """An unsupported picture. The message continues a sentence after the file's name, such as "is too large"."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture's samples as its file stores them, not yet turned upright.

    Attributes:
        pixels: (H, W, 3) uint8 or uint16, RGB; the three channels are equal if ``grey``.
        alpha: (H, W) of the same type, or None if the file has no transparency.
        grey: Whether the file has one channel of brightness instead of three of colour.
        orientation: The orientation in EXIF, 1 (upright) to 8.
        profile: The ICC profile of the pixels, or None.
        converted: The conversion of the file's samples, :data:`CMYK_TO_RGB` or :data:`ONE_BIT_TO_8`; None without one.
    """

    pixels: Samples
    alpha: Samples | None
    grey: bool
    orientation: int
    profile: bytes | None
    converted: str | None

    def upright(self) -> npt.NDArray[np.uint8]:
        """The upright pixels for the screen, (H, W, 3) uint8; H and W may be exchanged. 16 bits are cut to 8."""
        eight_bits = self.pixels if self.pixels.dtype == np.uint8 else (self.pixels >> 8).astype(np.uint8)
        return turned(eight_bits, self.orientation)

    def upright_alpha(self) -> npt.NDArray[np.uint8] | None:
        """The upright transparency for the screen, (H, W) uint8; None if every pixel is opaque."""
        if self.alpha is None or self.alpha.min() == np.iinfo(self.alpha.dtype).max:
            return None
        eight_bits = self.alpha if self.alpha.dtype == np.uint8 else (self.alpha >> 8).astype(np.uint8)
        return turned(eight_bits, self.orientation)

    @property
    def rgb_profile(self) -> bytes | None:
        """The profile if it is for RGB, and None otherwise: that of a grey file does not fit three channels."""
        return self.profile if self.profile is not None and self.profile[16:20] == b"RGB " else None

    def with_pixels(self, pixels: Samples) -> "Picture":
        """The same picture with other pixels of the same shape and type."""
        assert (pixels.shape, pixels.dtype) == (self.pixels.shape, self.pixels.dtype)
        return replace(self, pixels=pixels)
