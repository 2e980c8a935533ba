"""A loader whose iteration is one epoch, and which can stop after any batch and continue there in another process."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Batch = TypeVar("Batch")


class ResumableLoader(ABC, Generic[Batch]):
    """Abstract: a loader for which an epoch is a function of its number alone, and each iteration is one epoch.

    Nothing is carried over from one epoch to the next. So the whole state is the number of the epoch and the number of
    batches that were returned. Lightning saves it with a checkpoint: it calls ``state_dict`` and ``load_state_dict``
    of every loader that has them.

    Args:
        epoch: Returns the number of the current epoch. It is called when the first batch is requested and not before,
            because Lightning calls ``iter`` before it has counted the epoch. With None the loader counts its
            iterations: the first one is epoch 0, the second one is epoch 1.
    """

    def __init__(self, *, epoch: Callable[[], int] | None) -> None:
        self._epoch = epoch
        self._state: dict[str, int] | None = None  # the state of the latest iteration
        self._loaded: dict[str, int] | None = None  # a loaded state, until the next iteration begins

    @abstractmethod
    def __len__(self) -> int:
        """The number of batches in an epoch."""

    @abstractmethod
    def batches(self, epoch: int, *, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from number ``start`` on."""

    def __iter__(self) -> Iterator[Batch]:
        epoch, start = self._begin()
        self._state = state = {"epoch": epoch, "consumed_batches": start}
        for batch in self.batches(epoch, start=start):
            state["consumed_batches"] += 1
            yield batch

    def _begin(self) -> tuple[int, int]:
        """The epoch of the iteration that begins, and its first batch."""
        loaded, self._loaded = self._loaded, None
        if self._epoch is not None:
            epoch = self._epoch()
        elif loaded is not None:
            epoch = loaded.get("epoch", 0)
        else:
            epoch = 0 if self._state is None else self._state["epoch"] + 1
        if loaded is None:
            return epoch, 0
        if "epoch" not in loaded:  # a checkpoint of an earlier version
            return epoch, loaded["consumed_batches"] % len(self)
        # A checkpoint from the end of an epoch continues with the next epoch, of which nothing is consumed. The epoch
        # and not the number of batches decides this: a trainer may end its epochs early (limit_train_batches).
        return epoch, loaded["consumed_batches"] if loaded["epoch"] == epoch else 0

    def state_dict(self) -> dict[str, int]:
        """The epoch, and how many of its batches were returned."""
        return dict(self._loaded or self._state or {"epoch": 0, "consumed_batches": 0})

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Let the next iteration continue at the position at which a loader of the same data returned ``state``."""
        self._loaded = dict(state)
