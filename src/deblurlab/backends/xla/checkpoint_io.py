"""Writes and reads checkpoints on XLA devices; the files are the same as on the CPU and on GPUs."""

from pathlib import Path
from typing import Any

import torch_xla.core.xla_model as xm
from lightning.fabric.plugins import XLACheckpointIO
from typing_extensions import override

from deblurlab.run.checkpoint import AtomicCheckpointIO


class AtomicXLACheckpointIO(XLACheckpointIO):
    """:class:`AtomicCheckpointIO` for tensors on XLA devices, which it moves to the host in one transfer."""

    def __init__(self) -> None:
        super().__init__()
        self._file = AtomicCheckpointIO()

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        on_host: dict[str, Any] = xm._maybe_convert_to_cpu(checkpoint)  # type: ignore[assignment]
        self._file.save_checkpoint(on_host, path)

    @override
    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        # Lightning wants the tensors on the device. They get there when the state dicts are loaded.
        return self._file.load_checkpoint(path)

    @override
    def remove_checkpoint(self, path: str | Path) -> None:
        self._file.remove_checkpoint(path)
