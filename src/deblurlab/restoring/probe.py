"""Measures a network once on a small picture: the reach of its receptive field, and its memory per pixel.

Nothing in this file depends on how busy the machine is; :mod:`deblurlab.restoring.form` measures times.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from deblurlab.restoring.peak_memory import PeakMemory
from deblurlab.restoring.tiles import Restore

_LENGTH, _BREADTH = 256, 64  # the size of the probe in pixels; half its length is the largest reach it can measure
_LONGEST = 2048  # the longest probe for networks with a window; a larger window counts as the whole image
# The reach of a network that estimates the blur grows with the blur that it finds. So it is measured on longer pictures
# with several blurs; these are their sigmas, in pixels.
_BLURRED_LENGTH = 512
_BLURS = (1.5, 2.0, 2.5, 3.0)
_SEEN = 0.25 / 255  # smaller changes do not count: even a few times as much is less than a step of 8 bits


def probe(multiple: int, length: int = _LENGTH) -> Tensor:
    """The picture on which a network is measured, (1, 3, 64, length) or somewhat larger, in [0, 1].

    Like a photograph it has structure at all scales, but more contrast than most, so that the reach of a network is
    longer on few pictures. It is the same each time.

    Args:
        multiple: The network's ``size_multiple``. Height, and half the width, are multiples of it.
        length: The width in pixels.
    """
    height, half = (-(-side // multiple) * multiple for side in (_BREADTH, length // 2))
    random = torch.Generator().manual_seed(0)
    layers = []
    for octave in range(6):
        small = torch.rand(1, 3, height // 2**octave + 1, 2 * half // 2**octave + 1, generator=random) - 0.5
        layers.append(F.interpolate(small, (height, 2 * half), mode="nearest" if octave % 2 else "bilinear"))
    picture: Tensor = torch.stack(layers).sum(0)
    return (picture + 0.5).clamp(0, 1)


class Reach(NamedTuple):
    """The reach of a network's receptive field.

    Attributes:
        pixels: Pixels farther away than this change a pixel by less than a quarter of an 8-bit step.
        beyond: Whether the network also depends on the whole image, for example by means over it. Then ``pixels`` is
            its reach apart from that.
    """

    pixels: int
    beyond: bool


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The measurements of a network on a device.

    Attributes:
        multiple: The network's ``size_multiple``.
        reach: The reach of its receptive field.
        bytes_per_pixel: The memory of its activations per pixel of a tile.
        window: The side in pixels of the window over which it takes means; 0 if it takes none, or over the whole image.
    """

    multiple: int
    reach: Reach
    bytes_per_pixel: int
    window: int = 0


def measured(
    restore_of: Callable[[Tensor], Restore],
    multiple: int,
    device: torch.device,
    *,
    estimates: bool = False,
    window: int | None = None,
) -> Measured:
    """Measure a network on the device that it is on.

    Args:
        restore_of: Given a whole image, returns the function that restores the image's tiles.
        multiple: The network's ``size_multiple``.
        device: The device.
        estimates: Whether the network restores tiles with an estimate of the whole image.
        window: The side of the window over which it takes means, if it does. Then the probe is four times as long as
            the window, so that the network is not mistaken for one that depends on the whole image.
    """
    picture = probe(multiple, min(max(_LENGTH, 4 * (window or 0)), _LONGEST)).to(device)
    with torch.no_grad():
        with PeakMemory() as memory:
            restore_of(picture)(picture)
        pictures = _blurred(probe(multiple, _BLURRED_LENGTH).to(device)) if estimates else [picture]
        reaches = [reach(restore_of, one) for one in pictures]
    per_pixel = -(-memory.peak // (picture.shape[2] * picture.shape[3]))
    return Measured(multiple=multiple, reach=_farthest(reaches), bytes_per_pixel=per_pixel, window=window or 0)


def _blurred(picture: Tensor) -> list[Tensor]:
    """A picture with each of several blurs, rounded to 8 bits."""
    from scipy.ndimage import gaussian_filter  # takes a quarter of a second, and few networks need it

    pixels = picture.cpu().numpy()
    blurred = (gaussian_filter(pixels, sigma, mode="mirror", axes=(-2, -1)) for sigma in _BLURS)
    return [(torch.from_numpy(one).to(picture) * 255).round() / 255 for one in blurred]


def _farthest(reaches: Sequence[Reach]) -> Reach:
    return Reach(max(one.pixels for one in reaches), any(one.beyond for one in reaches))


def reach(restore_of: Callable[[Tensor], Restore], picture: Tensor) -> Reach:
    """The reach of a network in horizontal or vertical direction, whichever is larger.

    The probe is cut in two, as tiles cut a picture, and each half is restored separately, with the estimate of the
    whole if the network makes one. Where the result differs from that of the whole, the network depends on pixels
    beyond the cut.

    Args:
        restore_of: See :func:`measured`.
        picture: :func:`probe`, blurred if the network estimates the blur.
    """
    upright = picture.transpose(2, 3).contiguous()
    restore_upright = restore_of(upright)

    def turned(images: Tensor) -> Tensor:
        return restore_upright(images.transpose(2, 3).contiguous()).transpose(2, 3)

    return _farthest([_reach_sideways(restore, picture) for restore in (restore_of(picture), turned)])


def _reach_sideways(restore: Restore, picture: Tensor) -> Reach:
    restored, half = restore(picture), picture.shape[3] // 2
    left = (restore(picture[..., :half]) - restored[..., :half]).flip(-1)
    right = restore(picture[..., half:]) - restored[..., half:]
    changes = torch.maximum(left.abs(), right.abs()).amax((0, 1, 2))  # the change at each distance from the cut
    farther = changes.flip(0).cummax(0).values.flip(0)  # the largest change at this distance or farther away
    rest = float(farther[half * 3 // 4])  # far from the cut only dependence on the whole image remains
    within = (farther <= 2 * rest + _SEEN).nonzero()
    return Reach(int(within[0]) if len(within) else half, not rest <= _SEEN)  # ``not <=``, since it may be NaN
