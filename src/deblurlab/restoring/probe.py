"""Measures a network once on a small picture: the reach of its receptive field, and its memory per pixel.

Nothing in this file depends on how busy the machine is; :mod:`deblurlab.restoring.form` measures times.
"""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torchvision.transforms.functional import gaussian_blur

Images = Callable[[Tensor], Tensor]

_LENGTH, _BREADTH = 256, 64  # pixels of the probe: its half is the farthest that a network is seen to look
_LONGEST = 2048  # whatever the window: a network whose window is larger than half of this looks at the whole image
# The same for a network that estimates the blur: it looks the farther, the more it finds, and so it is shown pictures
# with several blurs, whose sigmas these are, in pixels.
_BLURRED_LENGTH = 512
_BLURS = (1.5, 2.0, 2.5, 3.0)
_SEEN = 0.25 / 255  # less than this is no change: a few times as much is still no step of a picture with 8 bits


def probe(multiple: int, length: int = _LENGTH) -> Tensor:
    """A picture that is cut in two, (1, 3, 64, length) or somewhat larger, in [0, 1].

    Like a photograph it has structure of all sizes, and more contrast than most, so that few pictures show more of what
    a network does. It is the same each time.

    Args:
        multiple: The network's ``size_multiple``. Height, and half the width, are multiples of it.
        length: Its width in pixels.
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
    """How far a network looks.

    Attributes:
        pixels: What lies farther away than this changes a pixel by less than a quarter of an 8-bit step.
        beyond: Whether the network looks at the whole image beside that, as one does that takes means over it: then
            this is how far it looks but for them.
    """

    pixels: int
    beyond: bool


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What is known of a network on a device.

    Attributes:
        multiple: Height and width of what it takes are multiples of this.
        reach: How far it looks.
        bytes_per_pixel: The memory that its activations take, per pixel of a tile.
    """

    multiple: int
    reach: Reach
    bytes_per_pixel: int


def measured(
    restore_of: Callable[[Tensor], Images],
    multiple: int,
    device: torch.device,
    *,
    estimates: bool = False,
    window: int | None = None,
) -> Measured:
    """Measure a network on the device that it is on.

    Args:
        restore_of: Given a whole image, returns the network as it restores the image's tiles.
        multiple: The network's ``size_multiple``.
        device: The device.
        estimates: Whether what the network does to a tile depends on what it estimates of the whole image.
        window: The side of the window over which it takes means, if it does: then it is shown a picture that is twice
            as long to each side of the cut, and not taken for a network that looks at the whole image.
    """
    picture = probe(multiple, min(max(_LENGTH, 4 * (window or 0)), _LONGEST)).to(device)
    with torch.no_grad():
        with PeakMemory() as memory:
            restore_of(picture)(picture)
        pictures = _blurred(probe(multiple, _BLURRED_LENGTH).to(device)) if estimates else [picture]
        looks = [reach(restore_of, one) for one in pictures]
    per_pixel = -(-memory.peak // (picture.shape[2] * picture.shape[3]))
    return Measured(multiple=multiple, reach=_farthest(looks), bytes_per_pixel=per_pixel)


def _blurred(picture: Tensor) -> list[Tensor]:
    """A picture with several blurs, each rounded as a file of 8 bits."""
    return [(gaussian_blur(picture, 2 * round(4 * sigma) + 1, sigma) * 255).round() / 255 for sigma in _BLURS]


def _farthest(looks: Sequence[Reach]) -> Reach:
    return Reach(max(one.pixels for one in looks), any(one.beyond for one in looks))


def reach(restore_of: Callable[[Tensor], Images], picture: Tensor) -> Reach:
    """How far a network looks sideways, and up and down: the farther of the two.

    The probe is cut in two, as tiles cut a picture, and each half is restored by itself, with the estimate of the whole
    if the network makes one. Where the halves differ from the whole, the network has looked beyond the cut.

    Args:
        restore_of: As of :func:`measured`.
        picture: :func:`probe`, blurred if the network estimates the blur.
    """
    upright = picture.transpose(2, 3).contiguous()
    restore_upright = restore_of(upright)

    def turned(images: Tensor) -> Tensor:
        return restore_upright(images.transpose(2, 3).contiguous()).transpose(2, 3)

    return _farthest([_reach_sideways(network, picture) for network in (restore_of(picture), turned)])


def _reach_sideways(network: Images, picture: Tensor) -> Reach:
    restored, half = network(picture), picture.shape[3] // 2
    left = (network(picture[..., :half]) - restored[..., :half]).flip(-1)
    right = network(picture[..., half:]) - restored[..., half:]
    changes = torch.maximum(left.abs(), right.abs()).amax((0, 1, 2))  # by the distance from the cut
    farther = changes.flip(0).cummax(0).values.flip(0)  # the largest at this distance or farther away
    rest = float(farther[half * 3 // 4])
    within = (farther <= 2 * rest + _SEEN).nonzero()  # nearer than that, more than means has changed
    return Reach(int(within[0]) if len(within) else half, not rest <= _SEEN)  # a network may give NaN


class PeakMemory(TorchDispatchMode):
    """Counts the bytes of all tensors that live at a time while the ``with`` statement runs.

    Attributes:
        peak: The most bytes so far. What an operation takes inside itself is not seen.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = self._now = 0
        self._counted: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        if (key := storage._cdata) in self._counted:
            return
        self._counted.add(key)
        self._now += storage.nbytes()
        self.peak = max(self.peak, self._now)
        weakref.finalize(storage, self._forget, key, storage.nbytes())

    def _forget(self, key: int, size: int) -> None:
        self._counted.discard(key)
        self._now -= size
