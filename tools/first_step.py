"""The callback with which ``bench_start.py`` ends a training."""

import os
from typing import Any

from lightning.pytorch import Callback


class EndAfterFirstStep(Callback):
    """Ends the process once the first batch has been trained."""

    def on_train_batch_end(self, *_: Any) -> None:
        os._exit(0)
