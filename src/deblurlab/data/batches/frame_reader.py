"""Reads frames, and replaces broken ones."""

import logging
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from deblurlab.data.sources.pair_source import PairSource, PixelPair

log = logging.getLogger(__name__)

OnError = Literal["raise", "skip"]


class ReadFrame(NamedTuple):
    """The pixels of a frame, or of a replacement if it is broken.

    Attributes:
        pixels: The pixels.
        frame: The number of the frame that these pixels belong to.
        intact: False for a replacement.
    """

    pixels: PixelPair
    frame: int
    intact: bool


class FrameReader:
    """Reads frames of a source; several threads may call it at once.

    Args:
        source: The source of the frames.
        on_error: "raise" raises an error at a broken frame. "skip" warns, and replaces it by the next readable frame of
            the same shape, or by black if there is none.
        skipped: The frames that are known to be broken. The reader adds those that it finds.
    """

    def __init__(self, source: PairSource, *, on_error: OnError, skipped: set[int]) -> None:
        self.source, self.on_error, self.skipped = source, on_error, skipped

    def read(self, frame: int, epoch: int) -> ReadFrame:
        """Read frame number ``frame``, or its replacement.

        Raises:
            ValueError: If the frame is broken and ``on_error`` is "raise", or if all frames are broken.
        """
        try:
            return ReadFrame(self.source.read(frame, epoch), frame, intact=True)
        except ValueError as error:
            if self.on_error == "raise":
                raise ValueError(f"{error} data.on_error=skip leaves out frames that cannot be read.") from error
            self._skip(frame, error)
            problem = error
        for other in self._alike(frame):
            try:
                return ReadFrame(self.source.read(other, epoch), other, intact=False)
            except ValueError as error:
                self._skip(other, error)
        if len(self.skipped) == len(self.source.groups):
            raise problem
        black = np.zeros((*(self.source.grids[frame] * self.source.patch), 3), dtype=np.uint8)
        return ReadFrame(PixelPair(black, black), frame, intact=False)

    def _alike(self, frame: int) -> Iterator[int]:
        """The frames of the same shape that are not known to be broken, from the next one on, then from the first."""
        count = len(self.source.groups)
        for place in range(frame + 1, frame + count):
            other = place % count
            if other not in self.skipped and (self.source.grids[other] == self.source.grids[frame]).all():
                yield other

    def _skip(self, frame: int, error: ValueError) -> None:
        if frame not in self.skipped:
            log.warning(f"data.on_error=skip: {error}")
        self.skipped.add(frame)
