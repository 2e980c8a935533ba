"""TensorBoard with the panel of images and other values that callbacks log to dashboards."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from typing_extensions import override


class TensorBoard(TensorBoardLogger):
    """Lightning's logger for TensorBoard as a :class:`~deblurlab.interfaces.Dashboard`."""

    _last_step: int | None = None

    @override
    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        super().log_metrics(metrics, step)
        self._last_step = step

    @rank_zero_only
    def log_beside(self, metrics: Mapping[str, float]) -> None:
        """Log values at the last step that Lightning has logged."""
        super().log_metrics(metrics, self._last_step)

    @rank_zero_only
    def log_picture(self, key: str, picture: npt.NDArray[np.uint8], *, step: int) -> None:
        """Log an (H, W, 3) picture at a step of the optimizers."""
        self.experiment.add_image(key, picture, step, dataformats="HWC")

    def log_table(self, key: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Do nothing: TensorBoard cannot show tables."""

    def finish(self) -> None:
        """Do nothing: Lightning closes the event file when a fit or a test ends."""
