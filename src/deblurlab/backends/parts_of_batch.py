"""Warns if a resumed run normalises over other parts of a batch than before."""

import logging
from typing import Any

from lightning.pytorch import Callback
from typing_extensions import override

from deblurlab.processes.rank import is_first

log = logging.getLogger(__name__)


class PartsOfBatch(Callback):
    """Keeps in the checkpoints over how many parts of a batch a run with ``trainer.batch_norm=per_core`` normalises.

    On another number of devices the run goes on, with other statistics. This is told.

    Args:
        parts: How many devices there are.
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
                f"{self.parts} from here on: the run does not go on exactly. trainer.devices={before} does."
            )
