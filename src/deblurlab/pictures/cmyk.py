"""CMYK pictures, as printers want them, in RGB, which networks and screens want."""

import io

from PIL import Image, ImageCms


def cmyk_to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A CMYK picture in sRGB.

    Args:
        image: Of mode CMYK.
        profile: The ICC profile of its inks. None, or a damaged one, mixes them as ideal inks.
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
