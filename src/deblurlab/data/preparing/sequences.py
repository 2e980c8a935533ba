"""Sequences to prepare, and the sequences of published frames."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

from deblurlab.data.sources.picture_files import FilePair
from deblurlab.data.splits import PublishedSplit
from deblurlab.pictures.regular_file import require_file


class EncodedPair(NamedTuple):
    """A pair as it was published: the bytes of two picture files, and their names in messages."""

    frame: str
    blurred: bytes
    sharp: bytes
    blurred_name: str
    sharp_name: str


class SourceSequence(NamedTuple):
    """A sequence to prepare.

    Attributes:
        split: The published split that it belongs to.
        name: The name of the sequence.
        fingerprint: A text that changes when the name, the size or the time of one of its files does.
        frames: The number of frames; 0 if it is not known before the sequence is read.
        read: Reads the pairs, in order.
    """

    split: PublishedSplit
    name: str
    fingerprint: str
    frames: int
    read: Callable[[], Iterator[EncodedPair]]


def published_sequences(pairs: Sequence[FilePair], split: PublishedSplit) -> list[SourceSequence]:
    """The sequences of published frames.

    Args:
        pairs: The frames' files, sorted by sequence and frame.
        split: The published split that they belong to.
    """
    sequences = []
    for name, group in groupby(pairs, key=lambda pair: pair.sequence):
        frames = list(group)
        digest = hashlib.sha256()
        for pair in frames:
            for side in (pair.blurred, pair.sharp):
                require_file(side)
                status = side.stat()
                digest.update(f"{side.name} {status.st_size} {status.st_mtime_ns}\n".encode())
        sequences.append(SourceSequence(split, name, digest.hexdigest(), len(frames), partial(_read, frames)))
    return sequences


def _read(pairs: list[FilePair]) -> Iterator[EncodedPair]:
    for pair in pairs:
        yield EncodedPair(
            pair.frame,
            pair.blurred.read_bytes(),
            pair.sharp.read_bytes(),
            blurred_name=str(pair.blurred),
            sharp_name=str(pair.sharp),
        )
