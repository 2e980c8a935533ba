"""What is measured of a network once, on a small picture: how far it looks, and how much memory it takes.

No number of this file depends on how busy the machine is; :mod:`deblurlab.restoring.form` takes times.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Images = Callable[[Tensor], Tensor]

_LENGTH, _BREADTH = 256, 64  # pixels of the probe: its half is the farthest that a network is seen to look
_SEEN = 0.25 / 255  # less than this is no change: a few times as much is still no step of a picture with 8 bits


def probe(multiple: int) -> Tensor:
    """A picture that is cut in two, (1, 3, 64, 256) or somewhat larger, in [0, 1].

    Like a photograph it has structure of all sizes, and more contrast than most, so that few pictures show more of what
    a network does. It is the same each time.

    Args:
        multiple: The network's ``size_multiple``. Height, and half the width, are multiples of it.
    """
    height, half = (-(-side // multiple) * multiple for side in (_BREADTH, _LENGTH // 2))
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


def measured(network: Images, multiple: int, device: torch.device) -> Measured:
    """Measure a network on the device that it is on."""
    picture = probe(multiple).to(device)
    with torch.no_grad():
        with PeakMemory() as memory:
            restored = network(picture)
        looks = reach(network, picture, restored)
    per_pixel = -(-memory.peak // (picture.shape[2] * picture.shape[3]))
    return Measured(multiple=multiple, reach=looks, bytes_per_pixel=per_pixel)


def reach(network: Images, picture: Tensor, restored: Tensor) -> Reach:
    """How far a network looks sideways, and up and down: the farther of the two.

    The probe is cut in two, as tiles cut a picture, and each half is restored by itself. Where the halves differ from
    the whole, the network has looked beyond the cut.

    Args:
        network: The network.
        picture: :func:`probe`.
        restored: What the network makes of it.
    """

    def turned(images: Tensor) -> Tensor:
        return network(images.transpose(2, 3).contiguous()).transpose(2, 3)

    one, other = _reach_sideways(network, picture, restored), _reach_sideways(turned, picture, turned(picture))
    return Reach(max(one.pixels, other.pixels), one.beyond or other.beyond)


def _reach_sideways(network: Images, picture: Tensor, restored: Tensor) -> Reach:
    half = picture.shape[3] // 2
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
