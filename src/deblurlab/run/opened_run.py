"""A run opened from Python: its configuration, epochs, scores and network. Each file is read when it is first needed.

Imports nothing heavy: torch is imported when the network is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from deblurlab.run.history import read_history
from deblurlab.run.results import read_per_image, read_scores
from deblurlab.run.run_folder import RunFolder
from deblurlab.run.saved_run import load_run
from deblurlab.run.trusted import packages

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class OpenedRun:
    """A run, finished or not. :func:`open_run` makes it.

    Attributes:
        files: The run's folder, and the name of each file in it: ``files.path``, ``files.best_checkpoint``, ...
        model: What its network is called: the name of its configuration, such as "unet16", or of its own class.
        data: What its data set is called, such as "cifar10".
        config: Its whole configuration, in which every value is resolved: ``config.data.batch_size``.
        trust: Names of packages of which its network may be.
    """

    files: RunFolder
    model: str
    data: str
    config: DictConfig
    trust: Sequence[str]

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """One mapping per epoch that has ended, from the names of metrics to their values.

        ``epoch`` counts from 1. ``step``, ``batches``, ``lr``, ``seconds``, ``train/loss``, ``val/ssim`` and others
        follow; metrics that an epoch does not have are left out. Values are in plain units, PSNR in dB.

        Raises:
            ValueError: naming the file, if it is damaged.
        """
        return read_history(self.files.history_file)

    @property
    def is_tested(self) -> bool:
        """Whether the run has test scores: it is finished."""
        return self.files.scores_file.is_file()

    @cached_property
    def scores(self) -> dict[str, Any]:
        """The test scores: means over images in plain units, PSNR in dB.

        ``scores["restored"]["ssim"]`` and ``scores["blurred"]["ssim"]``, likewise ``psnr``, ``loss``, ``mse``, ``mae``;
        and ``data``, ``split`` and the number of ``images``.

        Raises:
            ValueError: naming the file, if the run was not tested yet, or the file is damaged.
        """
        return read_scores(self.files.scores_file)

    @cached_property
    def per_image(self) -> dict[str, list[Any]]:
        """One column per fact of the test images, each with one value per image.

        ``image`` counts from 0; ``restored_ssim``, ``blurred_ssim`` and others are the image's scores. The data set
        adds columns of its own: ``sigma``, the width of the blur in pixels, or ``frame``, the name of a video frame. A
        network that estimates the blur adds ``estimated_sigma``.

        Raises:
            ValueError: naming the file, if the run was not tested yet, or the file is damaged.
        """
        return read_per_image(self.files.per_image_file)

    @cached_property
    def evaluations(self) -> dict[str, dict[str, Any]]:
        """The scores that ``deblurlab evaluate run=...`` found, by the name of the data set; see :attr:`scores`.

        Raises:
            ValueError: naming the file, if one is damaged.
        """
        return {data: read_scores(folder.scores_file) for data, folder in self.files.evaluations().items()}

    @cached_property
    def network(self) -> "nn.Module":
        """The network with its best weights, on the CPU, in evaluation mode, without gradients.

        :func:`deblurlab.restoring.load_restorer` takes the run's folder, too, and restores arrays of any size.

        Raises:
            ValueError: if the run has no checkpoint yet, if its configuration names what is not trusted, or if a file
                is damaged.
        """
        from deblurlab.run.network import build_network
        from deblurlab.run.weights import load

        return build_network(load(str(self.files.path)), trust=self.trust)


def open_run(folder: str | Path, *, trust: Sequence[str] = ()) -> OpenedRun:
    """Open the folder of a run, finished or not.

    Nothing in the folder is executed, whoever made it.

    Args:
        folder: The run's folder, such as ``outputs/cifar10_unet16/2026-11-22_23-19-00``.
        trust: Names of packages of your own of which the run's network may be, as ``["mynet"]``. Their code is
            imported and run when the network is asked for.

    Raises:
        ValueError: if it is not the folder of a run, its configuration is damaged, or ``trust`` is no list of names.
    """
    run = load_run(folder)
    return OpenedRun(files=run.folder, model=run.model, data=run.data, config=run.config, trust=packages(trust))
