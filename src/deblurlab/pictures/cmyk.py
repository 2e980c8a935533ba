"""Converts CMYK pictures, which are made for printing, to RGB, which networks and screens need."""

import io

from PIL import Image, ImageCms


def cmyk_to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert a CMYK picture to sRGB.

    Args:
        image: A picture of mode CMYK.
        profile: The ICC profile of its inks. Without one, or with a damaged one, ideal inks are assumed.
    """
    if profile:
        try:
            inks = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, inks, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (OSError, ImageCms.PyCMSError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")
