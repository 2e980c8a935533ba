"""A trained network behind one interface: the whole network for a batch, or tiles for a picture of any size."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from deblurlab.interfaces import as_scales, size_multiple
from deblurlab.restoring import tiles
from deblurlab.restoring.tiles import Picture
from deblurlab.restoring.tiling import Tiling, tile_count

Images = TypeVar("Images", Picture, Tensor)


class Restorer(nn.Module):
    """A trained network that restores blurred images.

    ``restorer(batch)`` is the network itself, as it is trained and scored; ``restorer.restore(picture)`` takes
    pictures of any size. :func:`deblurlab.restoring.load_restorer` makes one from a file or a run.

    Args:
        network: See :class:`deblurlab.interfaces.Network`. Of several scales the first is taken.

    Attributes:
        network: The network.
        size_multiple: Height and width of what the network takes are multiples of this.

    Shape: (B, 3, H, W) in [0, 1] to the same, about [0, 1], float32; H and W multiples of ``size_multiple``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.size_multiple = size_multiple(network)

    def forward(self, blurred: Tensor) -> Tensor:
        return as_scales(self.network(blurred))[0].float()

    @property
    def device(self) -> torch.device:
        """The device that the network's parameters are on; the CPU if it has none."""
        return next(self.network.parameters(), torch.empty(0)).device

    def restore(
        self,
        images: Images,
        *,
        tiling: Tiling | None = None,
        tta: bool = False,
        on_tile: Callable[[], None] = lambda: None,
    ) -> Images:
        """Restore a picture, or each image of a batch by itself, of any height and width.

        Beyond its borders an image is continued by its reflection. The result of a large picture hardly depends on
        the tiles: it differs by at most about one 8-bit step from that of the whole picture,
        but for networks that estimate the blur (:class:`deblurlab.interfaces.BlurEstimator`), which do so in each tile.

        Args:
            images: A NumPy picture, (H, W, 3), of type uint8, uint16, or float in [0, 1]; or a torch batch,
                (B, 3, H, W), of float in [0, 1] on any device. RGB, in the encoding of ordinary image files.
            tiling: How large pictures are cut, which bounds the memory; None takes tiles of 512 pixels, and smaller
                pictures whole.
            tta: Average over the 8 flips and rotations of each tile: a little better, 8 times as long.
            on_tile: Called after each tile, to show progress.

        Returns:
            The restored images, of the same kind, shape, type and device; floats are clamped to [0, 1].

        Raises:
            ValueError: if the images have another shape, type or range.
        """

        def one(picture: Picture) -> Picture:
            chosen = tiling or self._default_tiling(picture)
            return tiles.restore(self, picture, tiling=chosen, device=self.device, tta=tta, on_tile=on_tile)

        if isinstance(images, Tensor):
            batch = images.detach()
            require_batch(batch)
            pictures = [np.asarray(image) for image in batch.permute(0, 2, 3, 1).float().cpu()]
            restored = [torch.from_numpy(one(picture)).permute(2, 0, 1) for picture in pictures]
            return torch.stack(restored).to(batch) if restored else batch.clone()
        require_picture(images)
        return one(images)

    def _default_tiling(self, picture: Picture) -> Tiling:
        height, width, _ = picture.shape
        tiling = Tiling()
        return Tiling(side=0) if tile_count(height, width, tiling, self.size_multiple) == 1 else tiling


def require_picture(picture: Picture) -> None:
    """Raise ValueError unless ``picture`` is (H, W, 3) of a type and range that :meth:`Restorer.restore` takes."""
    if picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise ValueError(f"a picture is an array of (height, width, 3), got {picture.shape}.")
    if picture.dtype in (np.uint8, np.uint16):
        return
    if not np.issubdtype(picture.dtype, np.floating):
        raise ValueError(f"a picture's values are uint8, uint16 or float in [0, 1], got {picture.dtype}.")
    _require_unit_range(float(picture.min()), float(picture.max()))


def require_batch(batch: Tensor) -> None:
    """Raise ValueError unless ``batch`` is (B, 3, H, W) of float in [0, 1]."""
    if batch.ndim != 4 or batch.shape[1] != 3 or 0 in batch.shape[2:]:
        raise ValueError(f"a batch is a tensor of (images, 3, height, width), got {tuple(batch.shape)}.")
    if not batch.is_floating_point():
        raise ValueError(f"a batch's values are float in [0, 1], got {batch.dtype}; divide bytes by 255.")
    if len(batch):
        _require_unit_range(float(batch.min()), float(batch.max()))


def _require_unit_range(low: float, high: float) -> None:
    if not (low >= 0 and high <= 1):  # NaN is refused, too
        raise ValueError(f"float images have values in [0, 1], got {low:g} to {high:g}: scale or clip them.")
