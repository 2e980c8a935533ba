"""Warns if a resumed run splits batches for its batch normalisation differently than before."""

import logging
from typing import Any

from lightning.pytorch import Callback
from typing_extensions import override

from deblurlab.processes.rank import is_first

log = logging.getLogger(__name__)


class PartsOfBatch(Callback):
    """Stores in checkpoints the number of parts of a batch that ``trainer.batch_norm=per_core`` normalises separately.

    On another number of devices the run continues with other statistics, and logs a warning.

    Args:
        parts: The number of devices.
    """

    def __init__(self, parts: int) -> None:
        self.parts = parts

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"parts": self.parts}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        before = state_dict.get("parts")
        if before != self.parts and is_first():
            log.warning(
                f"trainer.batch_norm=per_core normalised over each of {before} parts of a batch, and does so over "
                f"{self.parts} from here on: the run does not continue exactly. trainer.devices={before} does."
            )
