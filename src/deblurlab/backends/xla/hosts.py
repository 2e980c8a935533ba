"""The hosts of a pod slice: one process each, meeting at a key-value store outside XLA."""

import io
from datetime import timedelta
from typing import TypeVar

import torch
from torch.distributed import TCPStore  # type: ignore[attr-defined]

T = TypeVar("T")

_PORT = 8477
# A host may write a checkpoint, draw figures or download data while the others wait.
_PATIENCE = timedelta(minutes=30)


class Hosts:
    """Barrier and broadcast between processes. A single process needs, and opens, no connection.

    A default process group would do the same, but torchmetrics would take it as a sign to reduce states that
    are global already.

    Args:
        index: of this process; 0 keeps the store.
        count: of all processes.
        master: address of process 0; only looked at if ``count`` is more than 1.
        port: where process 0 listens.
    """

    def __init__(self, *, index: int, count: int, master: str, port: int = _PORT) -> None:
        self.index, self.count = index, count
        self._meetings = 0
        if count > 1:
            self._store = TCPStore(master, port, count, is_master=index == 0, timeout=_PATIENCE)

    def barrier(self) -> None:
        """Return when every process has come this far."""
        if self.count == 1:
            return
        self._meetings += 1
        self._count_in("arrived")
        # The store ends with process 0, which therefore leaves last.
        self._count_in("left", wait=self.index == 0)

    def _count_in(self, gate: str, *, wait: bool = True) -> None:
        key = f"{gate}/{self._meetings}"
        if self._store.add(key, 1) == self.count:
            self._store.set(f"{key}/all", "")
        elif wait:
            self._store.wait([f"{key}/all"])

    def broadcast(self, value: T, source: int = 0) -> T:
        """``source``'s value, tensors and plain containers, on every process."""
        if self.count == 1:
            return value
        self._meetings += 1
        key = f"value/{self._meetings}"
        if self.index == source:
            buffer = io.BytesIO()
            torch.save(value, buffer)
            self._store.set(key, buffer.getvalue())  # type: ignore[arg-type]  # bytes are what it stores
            return value
        received: T = torch.load(io.BytesIO(self._store.get(key)), weights_only=True)
        return received
