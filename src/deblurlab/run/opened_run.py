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
    """A run, finished or not, as :func:`open_run` returns it.

    Attributes:
        files: The paths of the run's folder and of each file in it: ``files.path``, ``files.best_checkpoint``, ...
        model: The name of the network: that of its configuration, such as "unet16", or of its own class.
        data: The name of the data set, such as "cifar10".
        config: The whole configuration with every value resolved, as in ``config.data.batch_size``.
        trust: The names of packages whose code the network may use.
    """

    files: RunFolder
    model: str
    data: str
    config: DictConfig
    trust: Sequence[str]

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """The metrics of each completed epoch: one mapping per epoch, from names to values.

        ``epoch`` counts from 1. ``step``, ``batches``, ``lr``, ``seconds``, ``train/loss``, ``val/ssim`` and others
        follow; metrics that an epoch does not have are left out. Values are in plain units, PSNR in dB.

        Raises:
            ValueError: If the file is damaged; the message names it.
        """
        return read_history(self.files.history_file)

    @property
    def is_tested(self) -> bool:
        """Whether the run has test scores, which means that it is finished."""
        return self.files.scores_file.is_file()

    @cached_property
    def scores(self) -> dict[str, Any]:
        """The test scores: means over images in plain units, PSNR in dB.

        The keys are "restored" and "blurred", each a mapping with "ssim", "psnr", "loss", "mse" and "mae", as in
        ``scores["restored"]["ssim"]``; and "data", "split" and the number of "images".

        Raises:
            ValueError: If the run has not been tested yet, or the file is damaged; the message names it.
        """
        return read_scores(self.files.scores_file)

    @cached_property
    def per_image(self) -> dict[str, list[Any]]:
        """The scores and labels of each test image: columns by name, each with one value per image.

        ``image`` counts from 0; ``restored_ssim``, ``blurred_ssim`` and others are the image's scores. The data set
        adds columns of its own: ``sigma``, the width of the blur in pixels, or ``frame``, the name of a video frame. A
        network that estimates the blur adds ``estimated_sigma``.

        Raises:
            ValueError: If the run has not been tested yet, or the file is damaged; the message names it.
        """
        return read_per_image(self.files.per_image_file)

    @cached_property
    def evaluations(self) -> dict[str, dict[str, Any]]:
        """The scores of each ``deblurlab evaluate run=...``, by the name of its folder; see :attr:`scores`.

        Raises:
            ValueError: If a file is damaged; the message names it.
        """
        return {data: read_scores(folder.scores_file) for data, folder in self.files.evaluations().items()}

    @cached_property
    def network(self) -> "nn.Module":
        """The network with its best weights, on the CPU, in evaluation mode, without gradients.

        To restore arrays of any size, pass the run's folder to :func:`deblurlab.restoring.load_restorer` instead.

        Raises:
            ValueError: If the run has no checkpoint yet, its configuration names a class that is not trusted, or a file
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
        trust: Names of your own packages that the run's network may use, such as ``["mynet"]``. Their code is imported
            and run when ``network`` is first used.

    Raises:
        ValueError: If it is not the folder of a run, its configuration is damaged, or ``trust`` is not a list of names.
    """
    run = load_run(folder)
    return OpenedRun(files=run.folder, model=run.model, data=run.data, config=run.config, trust=packages(trust))
