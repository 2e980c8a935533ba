"""The contracts between the packages: batches of data modules, networks and losses of tasks, and the optional abilities
of data modules, tasks, loggers and strategies that callbacks and commands use.
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
        grid: The number of rows and columns of patches into which each image is cut for the network; (1, 1) if it takes
            whole images.
    """

    blurred: Tensor
    sharp: Tensor
    valid: Tensor
    grid: tuple[int, int] = (1, 1)


@runtime_checkable
class Network(Protocol):
    """A network that restores images: a ``torch.nn.Module`` that says which sizes it takes.

    A ``torch.nn.Module`` that takes and returns such images will do, even without ``size_multiple``:
    :func:`size_multiple` then returns 1.

    Attributes:
        size_multiple: Height and width of the images must be multiples of this.
    """

    size_multiple: int

    def __call__(self, blurred: Tensor, /) -> Tensor | list[Tensor] | tuple[Tensor, ...]:
        """Restore a batch, (B, 3, H, W) float in [0, 1].

        Returns:
            The restored images, (B, 3, H, W), about [0, 1] and not clamped. A multi-scale network returns a list or a
            tuple: these first, then the same images at smaller scales, from fine to coarse.
        """
        ...


def size_multiple(network: object) -> int:
    """The number that height and width of a network's images must be multiples of: 1 if the network does not say."""
    return network.size_multiple if isinstance(network, Network) else 1


def as_scales(restored: Tensor | list[Tensor] | tuple[Tensor, ...]) -> list[Tensor]:
    """The output of a :class:`Network` as a list of scales. The first images are as large as the blurred ones.

    Raises:
        ValueError: If it is something else.
    """
    scales: list[Tensor] = list(restored) if isinstance(restored, (list, tuple)) else [restored]
    if not scales or not all(isinstance(images, Tensor) for images in scales):
        kinds = ", ".join(sorted({type(images).__name__ for images in scales}))
        raise ValueError(
            f"the network returned {kinds or 'no images'}: it must return the restored images as a tensor, "
            "or a list or tuple of such tensors, the finest scale first."
        )
    return scales


@runtime_checkable
class Pyramid(Protocol):
    """A multi-scale network that says how images are reduced to the sizes that it restores.

    :class:`deblurlab.nets.MSDeblur` is one. For other multi-scale networks, :func:`pyramid` reduces the sharp images
    to means over squares of pixels.
    """

    def pyramid(self, images: Tensor, /) -> list[Tensor]:
        """Images, (B, C, H, W), at each size that the network restores: the images themselves, then smaller ones."""
        ...


def pyramid(network: object, images: Tensor, scales: Sequence[Tensor]) -> list[Tensor]:
    """Sharp images, (B, C, H, W), at the sizes of ``scales``, the images that ``network`` has restored."""
    if isinstance(network, Pyramid):
        return network.pyramid(images)
    return [F.avg_pool2d(images, images.shape[-1] // one.shape[-1]) for one in scales]


@runtime_checkable
class LocalMeans(Protocol):
    """A network that computes means over the image, such as :class:`deblurlab.nets.NAFNet`.

    Attributes:
        window: The side, in pixels, of the window over which it computes them in evaluation; None for the whole image.
    """

    window: int | None


@runtime_checkable
class BlurEstimator(Protocol):
    """A network that estimates how strong the blur of its images is, such as :class:`deblurlab.nets.BlindWiener`."""

    def estimate_sigma(self, blurred: Tensor, /) -> Tensor:
        """The standard deviation of each image's blur, in pixels: (B, 3, H, W) float in [0, 1] to (B,)."""
        ...


def blur_estimator(network: nn.Module) -> BlurEstimator | None:
    """The network itself, or the first module inside it, that estimates the strength of the blur; None without one."""
    return next((module for module in network.modules() if isinstance(module, BlurEstimator)), None)


@runtime_checkable
class EstimatesFirst(Protocol):
    """A network that first estimates a property of the whole image, such as its blur, and then restores the image.

    :class:`deblurlab.nets.BlindWiener` is one. All tiles of a large image are restored with the estimate of the whole
    image, so that they fit together: the result of ``estimate`` is passed to each call.
    """

    def estimate(self, blurred: Tensor, /) -> Any:
        """Estimate the property for each image of a batch, (B, 3, H, W) float in [0, 1]; H and W are at least 2."""
        ...

    def __call__(self, blurred: Tensor, estimate: Any = None, /) -> Tensor | list[Tensor]:
        """Restore a batch as a :class:`Network` does.

        Args:
            blurred: (B, 3, H, W) float in [0, 1].
            estimate: The estimate of the whole image that all images of the batch are parts of. With None, the network
                estimates each image by itself.
        """
        ...


class ContentLoss(Protocol):
    """A loss that compares restored with sharp images, such as :class:`deblurlab.losses.LogCosh`."""

    def __call__(self, restored: Tensor, sharp: Tensor, /) -> Tensor:
        """Compare two (B, 3, H, W) batches, float32 in about [0, 1], not clamped; return one value per image, (B,)."""
        ...


@runtime_checkable
class Resumable(Protocol):
    """A loader that can continue in the middle of an epoch. Lightning saves and loads its state with a checkpoint."""

    def __iter__(self) -> Iterator[Any]:
        """The batches of the next epoch, or the remaining batches of the epoch whose state was loaded."""
        ...

    def __len__(self) -> int:
        """The number of batches in a whole epoch."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """The position of the loader after the batch that it returned last."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Move to the position at which another loader of the same data returned ``state``."""
        ...


@runtime_checkable
class Evaluable(Protocol):
    """A data module with examples and labels of its evaluation images, which commands use after a test."""

    def examples(self, split: Literal["val", "test"], rows: Sequence[int]) -> Pair:
        """The images of a split whose indices are ``rows``, in that order, on the CPU."""
        ...

    def labels(self, split: Literal["val", "test"]) -> dict[str, Sequence[Any]]:
        """Facts about each image of a split, such as its file or the sigma of its blur: one column per fact."""
        ...


@runtime_checkable
class StandsIn(Protocol):
    """A data module of a published data set, the number and size of whose images are known without its files."""

    def stand_in(self) -> None:
        """Use blank images of the same number and size instead of the published ones."""
        ...


@runtime_checkable
class WholePicture(Protocol):
    """A data module of patches that can show the whole photograph from which validation patches were cut."""

    def whole_picture(self) -> Pair:
        """A photograph of the validation split, blurred and sharp, (1, 3, H, W) each, on the CPU."""
        ...


@runtime_checkable
class Dashboard(Protocol):
    """A logger that also takes pictures and tables, such as Weights & Biases.

    Callbacks ask ``isinstance(logger, Dashboard)`` of each of the trainer's loggers, and never name a logger's class. A
    callback may call these methods on every host; the dashboard writes on the first one only.
    """

    def log_beside(self, metrics: Mapping[str, float]) -> None:
        """Log values at the last step that Lightning has logged: callbacks do not know how Lightning counts steps."""
        ...

    def log_picture(self, key: str, picture: npt.NDArray[np.uint8], *, step: int) -> None:
        """Log an (H, W, 3) picture.

        Args:
            key: The picture's name, such as ``val/panel``.
            picture: Pixels from 0 to 255.
            step: The number of steps that the optimizers have made.
        """
        ...

    def log_table(self, key: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Log a table, given by its columns. The table has as many rows as the shortest column."""
        ...

    def finish(self) -> None:
        """Upload everything that is still to be uploaded, and close the run. Nothing is logged afterwards."""
        ...


@runtime_checkable
class ManyProcesses(Protocol):
    """A trainer's strategy for several processes, which have to take decisions together."""

    def largest(self, numbers: Sequence[float], /) -> list[float]:
        """The maximum of each number over all processes. All of them have to call this at the same point."""
        ...


@runtime_checkable
class DrawsForRows(Protocol):
    """A task that draws random numbers for each row of a batch, such as the points of a gradient penalty."""

    def take_part(self, rank: int, world: int) -> None:
        """Draw for the rows of one process. The rows of all processes, in the order of their ranks, are the batch.

        It is called before training. Without a call, the task draws for the whole batch.

        Args:
            rank: The number of the process, from 0.
            world: The number of processes.
        """
        ...


@runtime_checkable
class SkipsFrames(Protocol):
    """A data module that leaves out frames that it cannot read."""

    def skipped(self, split: Split) -> set[int]:
        """The numbers of the frames left out so far. The caller may add to the set, such as other processes' frames."""
        ...


@runtime_checkable
class SplitsBatches(Protocol):
    """A data module whose batches depend on how many devices share one."""

    def split_over(self, devices: int) -> None:
        """Make the number of images in each batch a multiple of ``devices``, the devices that share a process's batch.

        It is called before the first batch is requested. Without a call, the batches are for a single device.
        """
        ...
