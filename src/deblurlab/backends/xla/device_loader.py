"""Batches on their way to the devices while the previous step runs."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

_AHEAD = 2  # batches on the devices that training has not asked for yet


class DeviceLoader:
    """Iterates ``loader`` in a thread that puts its batches on the devices ahead of time.

    torch_xla's own loader ends the epoch early, without a word, when the data set raises, and counts batches
    it has only prefetched as consumed. This one raises what the data set raised, and its state counts the
    batches handed out.

    Args:
        loader: batches on the host; sized, and with ``sampler`` where its order depends on the epoch.
        send: puts one batch on the devices.
    """

    def __init__(self, loader: Iterable[Any], *, send: Callable[[Any], Any]) -> None:
        self.loader, self.send = loader, send

    @property
    def sampler(self) -> Any:
        return getattr(self.loader, "sampler", None)

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        batches: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(_AHEAD)
        stop = threading.Event()

        def hand_over(batch: Any, error: BaseException | None) -> None:
            while not stop.is_set():
                with suppress(queue.Full):
                    batches.put((batch, error), timeout=0.1)
                    return

        def work() -> None:
            try:
                for batch in self.loader:
                    if stop.is_set():
                        return
                    hand_over(self.send(batch), None)
                hand_over(None, StopIteration())
            except BaseException as error:
                hand_over(None, error)

        thread = threading.Thread(target=work, name="DeviceLoader", daemon=True)
        thread.start()
        try:
            while True:
                batch, error = batches.get()
                if isinstance(error, StopIteration):
                    return
                if error is not None:
                    raise error
                yield batch
        finally:
            stop.set()
            thread.join()


class ResumableDeviceLoader(DeviceLoader):
    """A :class:`DeviceLoader` whose ``loader`` can start in the middle of an epoch."""

    def __init__(self, loader: Any, *, send: Callable[[Any], Any]) -> None:
        super().__init__(loader, send=send)
        self._consumed = self._start = 0

    def __iter__(self) -> Iterator[Any]:
        self._consumed, self._start = self._start, 0
        for batch in super().__iter__():
            self._consumed += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        return {"consumed_batches": self._consumed}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.loader.load_state_dict(state)  # type: ignore[attr-defined]
        self._start = state["consumed_batches"] % len(self)
