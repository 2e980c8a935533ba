"""Decisions that all processes of a training take together: whether to save a checkpoint, whether to end."""

import time
from typing import NamedTuple
from weakref import WeakKeyDictionary

from lightning.pytorch import Trainer

from deblurlab.callbacks.lightning_internals import batches_trained
from deblurlab.interfaces import ManyProcesses
from deblurlab.signals import interruption


class Agreed(NamedTuple):
    """Values that are equal in all processes.

    Attributes:
        signal: The number of the signal that has asked one of the processes to end; 0 if there was none.
        clock: A time in seconds: the largest reading of ``time.monotonic`` among the processes.
    """

    signal: int
    clock: float


_at_batch: WeakKeyDictionary[Trainer, tuple[int, Agreed]] = WeakKeyDictionary()


def agreed(trainer: Trainer) -> Agreed:
    """Agree with all processes, in one exchange between them. All of them have to call this at the same point."""
    mine = Agreed(int(interruption.asked() or 0), time.monotonic())
    if not isinstance(trainer.strategy, ManyProcesses):
        return mine
    signal, clock = trainer.strategy.largest(mine)
    return Agreed(int(signal), clock)


def agreed_at_batch(trainer: Trainer) -> Agreed:
    """:func:`agreed` at the end of a training batch. All callbacks that call this share one exchange per batch."""
    batch = batches_trained(trainer)
    last, found = _at_batch.get(trainer, (None, None))
    if found is None or last != batch:
        found = agreed(trainer)
        _at_batch[trainer] = (batch, found)
    return found
