"""Sends batches to the devices while the previous step runs."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from typing import Any, NamedTuple, TypeVar

from deblurlab.interfaces import Resumable

T = TypeVar("T")

_AHEAD = 2  # the number of batches on the devices that the training has not requested yet


class DeviceLoader:
    """Iterates ``loader`` in a thread that sends its batches to the devices ahead of time.

    torch_xla's own loader silently ends the epoch early when the data set raises an error, and it cannot be resumed.
    This one raises the error of the data set.

    Args:
        loader: An iterable of batches on the host, with a length.
        send: Sends one batch to the devices.
    """

    def __init__(self, loader: Any, *, send: Callable[[Any], Any]) -> None:
        self.loader, self.send = loader, send

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        return _made_ahead(self._sent())

    def _sent(self) -> Generator[Any, None, None]:
        for batch in self.loader:
            yield self.send(batch)


class ResumableDeviceLoader(DeviceLoader):
    """A :class:`DeviceLoader` of a loader that can start in the middle of an epoch.

    The thread, and with it ``loader``, is ahead of the training. So each batch is passed on together with the state
    that ``loader`` had after it, and the state of this loader is that of the last batch that it returned.
    """

    loader: Resumable

    def __init__(self, loader: Resumable, *, send: Callable[[Any], Any]) -> None:
        super().__init__(loader, send=send)
        self._state = loader.state_dict()

    def __iter__(self) -> Iterator[Any]:
        for batch, state in _made_ahead(self._sent_with_state()):
            self._state = state
            yield batch

    def _sent_with_state(self) -> Generator[tuple[Any, dict[str, Any]], None, None]:
        for batch in self.loader:
            yield self.send(batch), self.loader.state_dict()

    def state_dict(self) -> dict[str, Any]:
        return self._state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.loader.load_state_dict(state)
        self._state = state


class _Ended(NamedTuple):
    error: BaseException | None


def _made_ahead(items: Generator[T, None, None]) -> Iterator[T]:
    """Run a generator a few items ahead in a thread, and yield its items. Its errors are raised here."""
    made: queue.Queue[T | _Ended] = queue.Queue(_AHEAD)
    stop = threading.Event()

    def hand_over(item: T | _Ended) -> None:
        while not stop.is_set():
            with suppress(queue.Full):
                made.put(item, timeout=0.1)
                return

    def work() -> None:
        try:
            with closing(items):
                for item in items:
                    if stop.is_set():
                        return
                    hand_over(item)
        except BaseException as error:
            hand_over(_Ended(error))
        else:
            hand_over(_Ended(None))

    thread = threading.Thread(target=work, name="DeviceLoader", daemon=True)
    thread.start()
    try:
        while not isinstance(item := made.get(), _Ended):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop.set()
        thread.join()
