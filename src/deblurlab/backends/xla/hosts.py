"""Communication between the hosts of a pod slice, with one process each, through a key-value store outside of XLA."""

import io
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

import torch
from torch.distributed import TCPStore  # type: ignore[attr-defined]

T = TypeVar("T")

_PORT = 8477
# A host may write a checkpoint, draw figures or download data while the others wait.
_PATIENCE = timedelta(minutes=30)


class Hosts:
    """Barrier, broadcast and maximum between processes. A single process opens no connection.

    A default process group of torch.distributed could do the same, but torchmetrics would then reduce its states over
    the processes, and here the states are already global.

    Args:
        index: Index of this process. Process 0 has the store.
        count: The number of processes.
        master: Address of process 0. It is not used if ``count`` is 1.
        port: Port at which process 0 listens.
    """

    def __init__(self, *, index: int, count: int, master: str, port: int = _PORT) -> None:
        self.index, self.count = index, count
        self._meetings = self._exchanges = 0
        if count > 1:
            self._store = TCPStore(master, port, count, is_master=index == 0, timeout=_PATIENCE)

    def barrier(self) -> None:
        """Wait until every process has called this."""
        if self.count == 1:
            return
        self._meetings += 1
        self._count_in("arrived")
        # The store ends with process 0, so that process must leave last.
        self._count_in("left", wait=self.index == 0)

    def _count_in(self, gate: str, *, wait: bool = True) -> None:
        """Count this process at a gate of the current barrier, and wait there for all others."""
        key = f"{gate}/{self._meetings}"
        if self._store.add(key, 1) == self.count:
            self._store.set(f"{key}/all", "")
        elif wait:
            self._store.wait([f"{key}/all"])

    def broadcast(self, value: T, source: int = 0) -> T:
        """The value of process ``source``, on every process: tensors, numbers, texts, and plain containers of these."""
        if self.count == 1:
            return value
        self._meetings += 1
        key = f"value/{self._meetings}"
        if self.index == source:
            buffer = io.BytesIO()
            torch.save(value, buffer)
            self._store.set(key, buffer.getvalue())  # type: ignore[arg-type]  # it does take bytes
            return value
        received: T = torch.load(io.BytesIO(self._store.get(key)), weights_only=True)
        return received

    def largest(self, numbers: Sequence[float]) -> list[float]:
        """The maximum of each number over all processes, on every process."""
        if self.count == 1:
            return list(numbers)
        self._exchanges += 1
        self._store.set(f"numbers/{self._exchanges}/{self.index}", json.dumps(numbers))
        every = [json.loads(self._store.get(f"numbers/{self._exchanges}/{index}")) for index in range(self.count)]
        # All have written their numbers of this exchange, so all have read those of the last one.
        self._store.delete_key(f"numbers/{self._exchanges - 1}/{self.index}")
        return [max(column) for column in zip(*every, strict=True)]
