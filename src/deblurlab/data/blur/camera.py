"""Realistic camera blur. For each patch, one of several kinds is drawn, with its strength."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from deblurlab.data.blur.compression import compressed
from deblurlab.data.blur.defocus import convolved, disc
from deblurlab.data.blur.kernels import Kernel, gaussian_kernel
from deblurlab.data.blur.light import srgb_decoded, srgb_encoded, to_light, to_pixels
from deblurlab.data.blur.ranges import log_uniform, require_range
from deblurlab.data.blur.sensor import noisy, read_noise, with_highlights
from deblurlab.data.blur.shaking import Camera, shaken, with_moving_object
from deblurlab.data.blur.windows import Window, cut, trimmed
from deblurlab.data.pixels import Pixels

KINDS = ("shake", "objects", "defocus", "gaussian", "sharp")

# A JPEG with subsampled colours has blocks of 16x16 pixels. A patch begins anywhere in one.
_BLOCK = 16

# Returns the sharp scene in any window, (3, H, W).
_Seen = Callable[[Window], Tensor]


class CameraBlur:
    """Realistic camera blur, noise and JPEG compression, drawn for each patch.

    The target is always the sharp photograph at the drawn exposure, without the drawn blur, noise and JPEG. The network
    learns to leave a picture unchanged, with its own grain, if nothing was done to it.

    Args:
        shake: How often a hand shakes the camera. The probabilities of the first five kinds are proportional to their
            numbers.
        objects: How often an object moves in front of the rest, seen by a shaken camera.
        defocus: How often the lens is out of focus, and a point of light becomes a disc.
        gaussian: How often the blur is Gaussian.
        sharp: How often there is no blur.
        shake_pixels: The shortest and the longest path of the camera, in pixels: the larger side of the bounding box,
            in the corner of the whole picture where it is largest.
        object_pixels: How far an object moves, in pixels.
        defocus_pixels: The radius of the disc, in pixels.
        gaussian_sigma: The sigma of the Gaussian, in pixels.
        soft: How often the photograph is softened first, both in the blurred patch and in the target. The pixels of
            full-size photographs and of videos are softer than those of pictures that were scaled down for the web. A
            network that has seen only the latter makes the former too sharp.
        soft_sigma: The sigma of the Gaussian that softens it, in pixels.
        encoded: How often the sRGB values are averaged instead of the linear light. No camera does that, but data sets
            do: GOPRO's blurred frames keep the mean of the sRGB values, of which none is brighter than white.
        highlights: How often white areas are made brighter than white.
        highlight_gain: The brightness of such areas, where white is 1, drawn uniformly on a logarithmic scale.
        dark: How often the picture is underexposed.
        dark_exposure: The share of the light that is left in an underexposed picture.
        noise: How often there is shot noise and read noise.
        photons: The number of photons of a white pixel, which determines the noise: many at low ISO. It is drawn
            uniformly on a logarithmic scale.
        jpeg: How often the picture was saved as a JPEG.
        jpeg_quality: The JPEG's quality, 1 to 100.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        *,
        shake: float = 0.4,
        objects: float = 0.2,
        defocus: float = 0.1,
        gaussian: float = 0.1,
        sharp: float = 0.2,
        shake_pixels: Sequence[float] = (1.0, 30.0),
        object_pixels: Sequence[float] = (2.0, 30.0),
        defocus_pixels: Sequence[float] = (0.5, 5.0),
        gaussian_sigma: Sequence[float] = (0.3, 3.0),
        soft: float = 0.0,
        soft_sigma: Sequence[float] = (0.3, 1.2),
        encoded: float = 0.0,
        highlights: float = 0.5,
        highlight_gain: Sequence[float] = (1.0, 8.0),
        dark: float = 0.1,
        dark_exposure: Sequence[float] = (0.05, 0.5),
        noise: float = 0.5,
        photons: Sequence[float] = (500.0, 20000.0),
        jpeg: float = 0.5,
        jpeg_quality: Sequence[int] = (60, 100),
    ) -> None:
        weights = np.array((shake, objects, defocus, gaussian, sharp), dtype=np.float64)
        if not (weights.min() >= 0 and 0 < weights.sum() < np.inf):  # NaN is refused, too
            raise ValueError(
                f"data.blur: {', '.join(KINDS)} must be numbers from 0 on, and one of them positive, got "
                f"{weights.tolist()}."
            )
        self.chances = weights / weights.sum()
        each = {"soft": soft, "encoded": encoded, "highlights": highlights, "dark": dark, "noise": noise, "jpeg": jpeg}
        for name, chance in each.items():
            if not 0 <= chance <= 1:
                raise ValueError(f"data.blur.{name} is how often, from 0 to 1, got {chance}.")
        self.soft, self.encoded, self.highlights = soft, encoded, highlights
        self.dark, self.noise, self.jpeg = dark, noise, jpeg
        self.shake_pixels = require_range("data.blur.shake_pixels", shake_pixels, least=0, most=np.inf)
        self.object_pixels = require_range("data.blur.object_pixels", object_pixels, least=0, most=np.inf)
        self.defocus_pixels = require_range("data.blur.defocus_pixels", defocus_pixels, least=0, most=np.inf)
        self.gaussian_sigma = require_range("data.blur.gaussian_sigma", gaussian_sigma, least=0, most=np.inf)
        self.soft_sigma = require_range("data.blur.soft_sigma", soft_sigma, least=0, most=np.inf)
        self.highlight_gain = require_range("data.blur.highlight_gain", highlight_gain, least=1, most=np.inf)
        self.dark_exposure = require_range("data.blur.dark_exposure", dark_exposure, least=0, most=1)
        self.photons = require_range("data.blur.photons", photons, least=1, most=np.inf)
        self.jpeg_quality = require_range("data.blur.jpeg_quality", jpeg_quality, least=1, most=100)

    def pair(self, picture: Pixels, window: Window, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
        """Draw a blurred and a sharp version of a part of a photograph.

        Args:
            picture: (H, W, 3), the whole photograph: the blur depends on the pixels around the part, and the effect of
                a rotation of the camera on the position of the part. Beyond its edges the photograph is mirrored.
            window: The part.
            rng: The random number generator.

        Returns:
            The blurred and the sharp part, (height, width, 3) each.
        """
        # The order of the draws is fixed: weights were trained with the pairs that a seed draws.
        kind = KINDS[rng.choice(len(KINDS), p=self.chances)]
        scene = self._scene(picture, rng)
        averaged = self._blurred(kind, scene.averaged, window.wider(_BLOCK), picture.shape, rng)
        light = srgb_decoded(averaged) if scene.encoded else averaged
        blurred = self._saved(to_pixels(self._sensed(light, rng)), rng)
        return blurred, scene.pixels(window)

    def _scene(self, picture: Pixels, rng: np.random.Generator) -> "_Scene":
        exposure = rng.uniform(*self.dark_exposure) if rng.random() < self.dark else 1.0
        gain = log_uniform(self.highlight_gain, rng) if rng.random() < self.highlights else 1.0
        encoded = rng.random() < self.encoded
        # Without `soft` no number is drawn for it, so that the other draws are those of versions that lack the option.
        softens = self.soft > 0 and rng.random() < self.soft
        softness = gaussian_kernel(rng.uniform(*self.soft_sigma)) if softens else None
        return _Scene(picture, softness, gain, exposure, encoded)

    def _blurred(
        self, kind: str, seen: _Seen, window: Window, size: tuple[int, ...], rng: np.random.Generator
    ) -> Tensor:
        if kind == "gaussian":
            return _spread(seen, window, gaussian_kernel(rng.uniform(*self.gaussian_sigma)))
        if kind == "defocus":
            radius, rim, rings = rng.uniform(*self.defocus_pixels), rng.uniform(-0.5, 0.8), rng.uniform(0, 0.3)
            return _spread(seen, window, disc(radius, rim=rim, rings=rings))
        if kind == "sharp":
            return seen(window)
        if kind == "shake":
            return shaken(seen, window, Camera((size[0], size[1]), rng.uniform(*self.shake_pixels), rng))
        camera = Camera((size[0], size[1]), rng.uniform(0, self.shake_pixels[1] / 2), rng)
        return with_moving_object(seen, window, camera, rng.uniform(*self.object_pixels), rng)

    def _sensed(self, light: Tensor, rng: np.random.Generator) -> Tensor:
        """Light with the sensor's noise, or without it."""
        if rng.random() >= self.noise:
            return light
        photons = log_uniform(self.photons, rng)
        return noisy(light, photons=photons, read=read_noise(photons), rng=rng)

    def _saved(self, pixels: Pixels, rng: np.random.Generator) -> Pixels:
        """Save pixels as a JPEG, or not, and remove the margin of a block that they have on each side."""
        if rng.random() >= self.jpeg:
            return pixels[_BLOCK:-_BLOCK, _BLOCK:-_BLOCK]
        top, left = rng.integers(_BLOCK, size=2).tolist()  # the position of the part in a block
        quality, subsampled = round(rng.uniform(*self.jpeg_quality)), rng.random() < 0.5
        from_block = compressed(pixels[_BLOCK - top :, _BLOCK - left :], quality=quality, subsampled=subsampled)
        return from_block[top:-_BLOCK, left:-_BLOCK]


class _Scene(NamedTuple):
    """A photograph with the drawn changes that its target shows, too.

    Attributes:
        picture: (H, W, 3), the whole photograph.
        softness: The kernel that softens it; None leaves it as it is.
        gain: The brightness of white areas, where white is 1.
        exposure: The share of the light that is left.
        encoded: Whether a blur averages sRGB values instead of light.
    """

    picture: Pixels
    softness: Kernel | None
    gain: float
    exposure: float
    encoded: bool

    def light(self, window: Window) -> Tensor:
        if self.softness is None:
            light = self._photographed(window)
        else:
            light = _spread(self._photographed, window, self.softness)
        return (with_highlights(light, self.gain) if self.gain > 1 else light) * self.exposure

    def averaged(self, window: Window) -> Tensor:
        """What a blur averages: the light, or the sRGB values of frames, each of which was clipped."""
        light = self.light(window)
        return srgb_encoded(light.clamp(max=1)) if self.encoded else light

    def pixels(self, window: Window) -> Pixels:
        changed = self.softness is not None or self.gain > 1 or self.exposure < 1
        return to_pixels(self.light(window)) if changed else cut(self.picture, window)

    def _photographed(self, window: Window) -> Tensor:
        return to_light(cut(self.picture, window)).contiguous()  # colour by colour, which is faster to warp


def _spread(seen: _Seen, window: Window, kernel: Kernel) -> Tensor:
    margin = len(kernel) // 2
    return trimmed(convolved(seen(window.wider(margin)), kernel), margin)
