"""The contracts between the folders: what a data module feeds, what a task asks of a network and of a loss, what
callbacks ask of a dashboard and of a strategy.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn
from torch.nn import functional as F

Split = Literal["train", "val", "test"]


class Pair(NamedTuple):
    """A batch of image pairs on the training device.

    Attributes:
        blurred: (B, 3, H, W) float32 in [0, 1].
        sharp: (B, 3, H, W) float32 in [0, 1], aligned with ``blurred`` pixel by pixel.
        valid: (B,) bool, False for rows that only fill up the last evaluation batch, so that shapes stay static, and
            for rows that stand in for a damaged picture. Scores leave those rows out.
        grid: Rows and columns of the patches into which the network gets an image cut; (1, 1) for whole images.
    """

    blurred: Tensor
    sharp: Tensor
    valid: Tensor
    grid: tuple[int, int] = (1, 1)


def cut(images: Tensor, grid: tuple[int, int]) -> Tensor:
    """(B, C, H, W) images to (B * rows * columns, C, H / rows, W / columns) patches: image by image, row by row."""
    (rows, columns), (batch, channels, height, width) = grid, images.shape
    cells = images.reshape(batch, channels, rows, height // rows, columns, width // columns)
    return cells.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, height // rows, width // columns)


def assemble(patches: Tensor, grid: tuple[int, int]) -> Tensor:
    """The images that :func:`cut` made these patches of."""
    (rows, columns), (count, channels, height, width) = grid, patches.shape
    cells = patches.reshape(count // (rows * columns), rows, columns, channels, height, width)
    return cells.permute(0, 3, 1, 4, 2, 5).reshape(-1, channels, rows * height, columns * width)


@runtime_checkable
class Network(Protocol):
    """A network that restores images: a ``torch.nn.Module`` that says which sizes it takes.

    Any ``torch.nn.Module`` that takes and returns such images will do; :func:`size_multiple` and :func:`as_scales` read
    what it has not written down.

    Attributes:
        size_multiple: Height and width of the images must be multiples of this.
    """

    size_multiple: int

    def __call__(self, blurred: Tensor, /) -> Tensor | list[Tensor]:
        """Restore a batch, (B, 3, H, W) float in [0, 1].

        Returns:
            The restored images, (B, 3, H, W), about [0, 1] and not clamped. A multi-scale network returns a list:
            these first, then the same images at smaller scales, from fine to coarse.
        """
        ...


def size_multiple(network: object) -> int:
    """What height and width of a network's images must be multiples of: 1 if the network does not say."""
    return network.size_multiple if isinstance(network, Network) else 1


def as_scales(restored: Tensor | list[Tensor]) -> list[Tensor]:
    """What a :class:`Network` returns, as a list of scales whose first images have the size of the blurred ones."""
    return restored if isinstance(restored, list) else [restored]


@runtime_checkable
class Pyramid(Protocol):
    """A multi-scale network that says how images are reduced to the sizes that it restores.

    :class:`deblurlab.nets.MSDeblur` is one. The sharp images that others are compared with are means over squares of
    pixels.
    """

    def pyramid(self, images: Tensor, /) -> list[Tensor]:
        """(B, C, H, W) images at each size that the network restores, from fine to coarse; the first as they are."""
        ...


def pyramid(network: object, images: Tensor, scales: Sequence[Tensor]) -> list[Tensor]:
    """Sharp images, (B, C, H, W), at the sizes of ``scales``, which a network has restored."""
    if isinstance(network, Pyramid):
        return network.pyramid(images)
    return [F.avg_pool2d(images, images.shape[-1] // one.shape[-1]) for one in scales]


@runtime_checkable
class LocalMeans(Protocol):
    """A network that takes means over the image, such as :class:`deblurlab.nets.NAFNet`.

    Attributes:
        window: The side, in pixels, of the window over which it takes them in evaluation; None for the whole image.
    """

    window: int | None


@runtime_checkable
class BlurEstimator(Protocol):
    """A network that can tell how strong the blur of its images is, such as :class:`deblurlab.nets.BlindWiener`."""

    def estimate_sigma(self, blurred: Tensor, /) -> Tensor:
        """The standard deviation of each image's blur, in pixels: (B, 3, H, W) float in [0, 1] to (B,)."""
        ...


def blur_estimator(network: nn.Module) -> BlurEstimator | None:
    """The network, or the one inside it, that can tell how strong the blur is; None if there is none."""
    return next((module for module in network.modules() if isinstance(module, BlurEstimator)), None)


@runtime_checkable
class EstimatesFirst(Protocol):
    """A network that estimates something of an image as a whole, such as its blur, before it restores the image.

    The tiles of a large image are restored with one estimate, so that they fit together. Such a network has
    ``estimate`` beside what a :class:`Network` has, and can be given what that returns, as
    :class:`deblurlab.nets.BlindWiener` can.
    """

    def estimate(self, blurred: Tensor, /) -> Any:
        """What the network estimates of each image: of (B, 3, H, W) float in [0, 1], H and W any numbers from 2 on."""
        ...

    def __call__(self, blurred: Tensor, estimate: Any = None, /) -> Tensor | list[Tensor]:
        """Restore a batch as a :class:`Network` does: with its own estimate, or with one of the whole image that all
        images of the batch are parts of.
        """
        ...


class ContentLoss(Protocol):
    """A loss that compares restored with sharp images, such as :class:`deblurlab.losses.LogCosh`."""

    def __call__(self, restored: Tensor, sharp: Tensor, /) -> Tensor:
        """Two (B, 3, H, W) batches, float32, about [0, 1] and not clamped, to one value per image, (B,)."""
        ...


@runtime_checkable
class Resumable(Protocol):
    """A loader that can go on in the middle of an epoch. Lightning saves and restores its state with a checkpoint."""

    def __iter__(self) -> Iterator[Any]:
        """The batches of the next epoch, or what is left of the epoch whose state was loaded."""
        ...

    def __len__(self) -> int:
        """The number of batches in a whole epoch."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands after the batch it gave last."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Stand where another loader of the same data stood."""
        ...


@runtime_checkable
class Evaluable(Protocol):
    """What commands ask of a data module after a test."""

    def examples(self, split: Literal["val", "test"], rows: Sequence[int]) -> Pair:
        """The images of a split whose indices are ``rows``, in that order, on the CPU."""
        ...

    def labels(self, split: Literal["val", "test"]) -> dict[str, Sequence[Any]]:
        """What is known of each image of a split, one column per fact: its file, the sigma of its blur."""
        ...


@runtime_checkable
class StandsIn(Protocol):
    """A data module of a published data set, whose number and size of images are known without its files."""

    def stand_in(self) -> None:
        """Take blank images in place of the published ones: as many, and as large."""
        ...


@runtime_checkable
class WholePicture(Protocol):
    """A data module of patches that can show the photograph that validation patches were cut from."""

    def whole_picture(self) -> Pair:
        """A photograph of the validation split, (1, 3, H, W), blurred and sharp, on the CPU."""
        ...


@runtime_checkable
class Dashboard(Protocol):
    """What a logger that people watch takes from callbacks, beside the metrics that Lightning gives to every logger.

    A callback asks ``isinstance(logger, Dashboard)`` of each of the trainer's loggers, and knows none of them by its
    class. A callback may call these methods on every host; the dashboard writes on the first one only.
    """

    def log_beside(self, metrics: Mapping[str, float]) -> None:
        """Log values at the last step that Lightning has logged: callbacks do not know how Lightning counts steps."""
        ...

    def log_picture(self, key: str, picture: npt.NDArray[np.uint8], *, step: int) -> None:
        """Log an (H, W, 3) picture.

        Args:
            key: Its name, such as ``val/panel``.
            picture: Pixels from 0 to 255.
            step: How many steps the optimizers have made.
        """
        ...

    def log_table(self, key: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Log a table, given by its columns. It has as many rows as the shortest column."""
        ...

    def finish(self) -> None:
        """Upload what is left to upload, and close the record of this run. Nothing is logged afterwards."""
        ...


@runtime_checkable
class ManyProcesses(Protocol):
    """A strategy of a trainer that trains in several processes, which have to decide together."""

    def largest(self, numbers: Sequence[float], /) -> list[float]:
        """The largest of each number among the processes. All of them have to call this at the same point."""
        ...


@runtime_checkable
class DrawsForRows(Protocol):
    """A task that draws something for each row of a batch, such as where a gradient penalty is taken."""

    def take_part(self, rank: int, world: int) -> None:
        """Draw for the rows of process ``rank`` of ``world`` processes, whose rows of a global batch lie one after the
        other.

        It is called before training. A task that is not told has the whole batch.
        """
        ...


@runtime_checkable
class SkipsFrames(Protocol):
    """A data module that leaves out frames which it cannot read."""

    def skipped(self, split: Split) -> set[int]:
        """The numbers of the frames that were left out so far. More can be added, such as those of other processes."""
        ...


@runtime_checkable
class SplitsBatches(Protocol):
    """A data module whose batches depend on how many devices share one."""

    def split_over(self, devices: int) -> None:
        """Make batches whose number of images is a multiple of ``devices``: as many share each batch of this process.

        It is called before any batch is asked for. A data module that is not told serves a single device.
        """
        ...
