"""Says where a run is once it has trained something: until then it may be refused, and its folder is removed."""

import logging
from collections.abc import Mapping
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from deblurlab.files.whole_file import whole_file
from deblurlab.run.run_folder import RunFolder

log = logging.getLogger(__name__)


class FirstStep(Callback):
    """Logs the run's folder after the first batch, and marks the folder as one to keep.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._done = False

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if self._done:
            return
        self._done = True
        if trainer.is_global_zero:
            with whole_file(self.folder.begun_file) as partial:
                partial.touch()
        log.info(f"run folder: {self.folder}")
