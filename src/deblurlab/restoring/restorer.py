"""Restores batches with a trained network as a whole, or pictures of any size in tiles."""

import logging
import math
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from deblurlab.checks.words import counted
from deblurlab.interfaces import EstimatesFirst, LocalMeans, as_scales, size_multiple
from deblurlab.pictures import Samples
from deblurlab.restoring import tiles
from deblurlab.restoring.form import Form, Precision, candidates, fastest
from deblurlab.restoring.probe import Measured, measured, probe
from deblurlab.restoring.tile_plan import memory_of, planned, xla_cut
from deblurlab.restoring.tiling import Cut, Tiling

log = logging.getLogger(__name__)

Images = TypeVar("Images", Samples, Tensor)

_WORTH_MEASURING = 256 * 256  # pixels: a smaller picture is restored before its network would be measured


class Restorer(nn.Module):
    """A trained network that restores blurred images.

    ``restorer(batch)`` is the network itself, as it is trained and scored; ``restorer.restore(picture)`` takes
    pictures of any size. :func:`deblurlab.restoring.load_restorer` makes one from a file or a run. The network is
    measured when it restores its first large picture, so it must not change afterwards.

    Args:
        network: See :class:`deblurlab.interfaces.Network`. If it returns several scales, the first is used.

    Attributes:
        network: The network.
        size_multiple: Height and width of the network's input must be multiples of this.

    Shape: (B, 3, H, W) in [0, 1] to the same, about [0, 1], float32; H and W multiples of ``size_multiple``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.size_multiple = size_multiple(network)
        self._measured: Measured | None = None
        self._forms: dict[Precision, Form] = {}

    def forward(self, blurred: Tensor) -> Tensor:
        return as_scales(self.network(blurred))[0].float()

    def restore_of(self, image: Tensor) -> Callable[[Tensor], Tensor]:
        """The function that restores the tiles of an image, all with the same estimate if the network makes one.

        Args:
            image: (1, 3, H, W) in [0, 1], the whole image; H and W are at least 2.
        """
        network = self.network
        if not isinstance(network, EstimatesFirst):
            return self
        estimate = network.estimate(image)
        return lambda tiles: as_scales(network(tiles, estimate))[0].float()

    @property
    def device(self) -> torch.device:
        """The device that the network's parameters are on; the CPU if it has none."""
        return next(self.network.parameters(), torch.empty(0)).device

    def restore(
        self,
        images: Images,
        *,
        tiling: Tiling | None = None,
        memory: int | None = None,
        precision: Precision = "auto",
        tta: bool = False,
        on_tile: Callable[[], object] = lambda: None,
    ) -> Images:
        """Restore a picture, or each image of a batch separately, of any height and width.

        An image is padded to the right and below, by reflection, to a size that the network takes. The tiles of a large
        picture hardly affect the result: it differs by at most about one 8-bit step from that of the whole picture, or
        by a few steps in some pixels if the network takes means over the image or a window. A network that estimates
        the blur (:class:`deblurlab.interfaces.EstimatesFirst`) does so once, from the 1024x1024 pixels in the middle.

        Args:
            images: A NumPy picture, (H, W, 3), of type uint8, uint16, or float in [0, 1]; or a torch batch,
                (B, 3, H, W), of float in [0, 1] on any device. RGB, in the encoding of ordinary image files.
            tiling: The tiles of large pictures. None restores each picture as a whole, or in as few tiles as ``memory``
                allows, with a margin as wide as the measured reach of the network, but at least 48 pixels; and half of
                the window of a network that takes means over a window (:class:`deblurlab.interfaces.LocalMeans`), if
                that is not more than a sixth of a tile.
            memory: The MiB that tiles may take, if ``tiling`` is None. None takes 352 on the CPU, and half of the free
                memory on a GPU.
            precision: ``32-true`` for float32, ``bf16-mixed`` for bfloat16 autocast. ``auto`` uses the faster one on
                this machine, if the result stays within an 8-bit step of that in float32; if ``tiling`` is given, it
                measures nothing and uses float32.
            tta: Average over the 8 flips and rotations of each tile: a little better, 8 times as long.
            on_tile: Called after each tile, to show progress.

        Returns:
            The restored images, of the same kind, shape, type and device; floats are clamped to [0, 1].

        Raises:
            ValueError: If the images have another shape, type or range.
        """

        def one(picture: Samples) -> Samples:
            height, width, _ = picture.shape
            cut = self.cut(height, width, tiling=tiling, memory=memory)
            form = self._form(precision, measure=tiling is None and height * width >= _WORTH_MEASURING)
            return tiles.restore(
                lambda image: partial(form.run, self.restore_of(image)),
                picture,
                cut=cut,
                device=self.device,
                tta=tta,
                on_tile=on_tile,
            )

        if isinstance(images, Tensor):
            batch = images.detach()
            require_batch(batch)
            pictures = [np.asarray(image) for image in batch.permute(0, 2, 3, 1).float().cpu()]
            restored = [torch.from_numpy(one(picture)).permute(2, 0, 1) for picture in pictures]
            return torch.stack(restored).to(batch) if restored else batch.clone()
        require_picture(images)
        return one(images)

    def cut(self, height: int, width: int, *, tiling: Tiling | None = None, memory: int | None = None) -> Cut:
        """The tiles into which :meth:`restore` cuts a picture, given its height and width; see there for the arguments.

        Raises:
            ValueError: If the tiles are too small for the network.
        """
        if tiling is not None:
            return Cut.of(height, width, tiling, self.size_multiple)
        if self.device.type == "xla":
            return xla_cut(height, width, self.size_multiple)
        if height * width < _WORTH_MEASURING:
            return Cut.of(height, width, Tiling(side=0), self.size_multiple)
        if self._measured is None:
            form = Form(channels_last=True)
            found = self._measured = measured(
                lambda image: partial(form.run, self.restore_of(image)),
                self.size_multiple,
                self.device,
                estimates=isinstance(self.network, EstimatesFirst),
                window=self.network.window if isinstance(self.network, LocalMeans) else None,
            )
            beyond = " and at means of the whole image" if found.reach.beyond else ""
            log.info(
                f"the network looks {counted(found.reach.pixels, 'pixel')} far{beyond}, and takes "
                f"{found.bytes_per_pixel} bytes of memory per pixel"
            )
        available = memory_of(self.device) if memory is None else memory * 2**20
        return planned(height, width, self._measured, memory=available)

    def _form(self, precision: Precision, *, measure: bool) -> Form:
        """The precision and memory layout: the plainest or, if ``measure``, the fastest, measured at the first call."""
        forms = candidates(precision, self.device.type)
        if not measure or self.device.type == "xla":  # XLA's compiler chooses the layout
            return forms[0]
        if precision not in self._forms:
            picture = probe(self.size_multiple).to(self.device)
            with torch.no_grad():
                self._forms[precision] = fastest(self, picture, forms)
            log.info(f"restoring in {self._forms[precision]}")
        return self._forms[precision]


def require_picture(picture: Samples) -> None:
    """Raise ValueError unless ``picture`` is (H, W, 3) of a type and range that :meth:`Restorer.restore` accepts."""
    if not isinstance(picture, np.ndarray):
        raise ValueError(
            f"a picture is a NumPy array or a torch batch, got {type(picture).__name__}. Of a picture of Pillow, "
            'numpy.asarray(picture.convert("RGB")) is the array; Pillow\'s Image.open opens a file.'
        )
    if picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise ValueError(f"a picture is an array of (height, width, 3), got {picture.shape}.{_fix(picture.shape)}")
    if picture.dtype in (np.uint8, np.uint16):
        return
    if not np.issubdtype(picture.dtype, np.floating):
        raise ValueError(f"a picture's values are uint8, uint16 or float in [0, 1], got {picture.dtype}.")
    _require_unit_range(float(picture.min()), float(picture.max()))


def _fix(shape: tuple[int, ...]) -> str:
    """How an array of another shape becomes pictures; "" if that is not known."""
    match shape:
        case (_, _) | (_, _, 1):
            return " Of a grey picture, numpy.dstack([grey] * 3) has three channels."
        case (_, _, 4):
            return " Of a picture with alpha, picture[..., :3] has the colours."
        case (3, _, _):
            return " If the channels are first, picture.transpose(1, 2, 0) has them last."
        case (_, _, _, 3):
            return " Restore several pictures one by one."
    return ""


def require_batch(batch: Tensor) -> None:
    """Raise ValueError unless ``batch`` is (B, 3, H, W) of float in [0, 1]."""
    if batch.ndim != 4 or batch.shape[1] != 3 or 0 in batch.shape[2:]:
        raise ValueError(f"a batch is a tensor of (images, 3, height, width), got {tuple(batch.shape)}.")
    if not batch.is_floating_point():
        raise ValueError(f"a batch's values are float in [0, 1], got {batch.dtype}; divide bytes by 255.")
    if len(batch):
        _require_unit_range(float(batch.min()), float(batch.max()))


def _require_unit_range(low: float, high: float) -> None:
    if math.isnan(low):  # so it is if any value is NaN, which neither scaling nor clipping changes
        raise ValueError("float images have values in [0, 1], got NaN: nan_to_num of NumPy or torch replaces it by 0.")
    if not (low >= 0 and high <= 1):
        raise ValueError(f"float images have values in [0, 1], got {low:g} to {high:g}: scale or clip them.")
