"""Decode and resize a data set once, and write it as shards."""

import hashlib
import json
import logging
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from deblurlab.data.pixels import decode
from deblurlab.data.shards.format import INDEX, Index, Row, Settings, Shard, encode, sha256_of, to_json, write_shard
from deblurlab.data.shards.storage import Storage
from deblurlab.data.sources.frames import at_size
from deblurlab.data.sources.layouts import FramePair

log = logging.getLogger(__name__)

# Sequences under way at once: while one is being stored, the next is decoded.
_SEQUENCES = 2


class EncodedPair(NamedTuple):
    """A frame pair as it was published: two picture files, and what to call them."""

    frame: str
    blurred: bytes
    sharp: bytes
    blurred_name: str
    sharp_name: str


class Format(NamedTuple):
    """A kind of file to write.

    Attributes:
        suffix: of its name.
        write: rows to a new file; returns the frames' names.
        indexed: whether an index.json is written over all files, for training.
    """

    suffix: str
    write: Callable[[Path, Iterable[Row]], tuple[str, ...]]
    indexed: bool


PARQUET = Format(".parquet", write_shard, indexed=True)


class SourceSequence(NamedTuple):
    """A sequence to prepare.

    Attributes:
        split: "train" or "test".
        name: of the sequence.
        fingerprint: changes when a file's name, size or time does.
        frames: how many there are, about.
        read: the frame pairs in order.
    """

    split: str
    name: str
    fingerprint: str
    frames: int
    read: Callable[[], Iterator[EncodedPair]]


def convert(pair: EncodedPair, sequence: str, settings: Settings) -> Row:
    """Decode, resize and encode one pair; ValueError naming a broken file."""
    frame = at_size(
        decode(pair.blurred, pair.blurred_name),
        decode(pair.sharp, pair.sharp_name),
        settings.size,
        antialias=settings.antialias,
        name=pair.blurred_name,
    )
    return Row(
        sequence,
        pair.frame,
        encode(frame.blurred, settings.codec),
        encode(frame.sharp, settings.codec),
        hashlib.sha256(pair.blurred).hexdigest(),
        hashlib.sha256(pair.sharp).hexdigest(),
    )


def prepare(
    sequences: Sequence[SourceSequence],
    storage: Storage,
    settings: Settings,
    *,
    workers: int,
    skip_broken: bool,
    progress: Callable[[int], None],
    form: Format = PARQUET,
) -> Index:
    """Write one shard a sequence and, last, the index. What an earlier, interrupted call finished is kept.

    Args:
        sequences: of all splits.
        storage: where to.
        settings: how.
        workers: threads that decode and encode.
        skip_broken: leave out broken frames with a warning, instead of stopping at them.
        progress: called with the number of frames just done.
        form: what the shards are.

    Raises:
        ValueError: naming a broken file, or two sequences of one name.
    """
    names = Counter((sequence.split, sequence.name) for sequence in sequences)
    if twice := [f"{split}/{name}" for (split, name), count in names.items() if count > 1]:
        raise ValueError(f"Several sequences would be written to {twice[0]}{form.suffix}: give them different names.")
    storage.remove(INDEX)  # it is the sign that all is there
    with (
        tempfile.TemporaryDirectory(prefix="deblurlab-") as scratch,
        ThreadPoolExecutor(workers, thread_name_prefix="frames") as frame_pool,
        ThreadPoolExecutor(_SEQUENCES, thread_name_prefix="sequences") as sequence_pool,
    ):

        def one(sequence: SourceSequence) -> Shard | None:
            source = json.dumps([sequence.fingerprint, settings._asdict(), skip_broken])
            if shard := _finished(sequence, storage, source, form.suffix):
                progress(sequence.frames)
                return shard
            file = Path(scratch) / f"{sequence.split}-{sequence.name}{form.suffix}"
            rows = _converted(sequence, settings, frame_pool, ahead=2 * workers, skip_broken=skip_broken)
            frames = form.write(file, _counted(rows, progress))
            if not frames:
                return None
            name = f"{sequence.split}/{sequence.name}{form.suffix}"
            shard = Shard(name, sequence.split, sequence.name, frames, file.stat().st_size, sha256_of(file))
            storage.store(name, file)
            file.write_text(json.dumps({"source": source, "shard": shard._asdict()}))
            storage.store(_note(sequence), file)
            file.unlink()
            return shard

        try:
            shards = [shard for shard in sequence_pool.map(one, sequences) if shard]
        except BaseException:
            sequence_pool.shutdown(wait=False, cancel_futures=True)
            frame_pool.shutdown(wait=False, cancel_futures=True)
            raise
        index = Index(settings, tuple(shards))
        if form.indexed:
            file = Path(scratch) / INDEX
            file.write_text(to_json(index))
            storage.store(INDEX, file)
    return index


def _note(sequence: SourceSequence) -> str:
    return f"{sequence.split}/{sequence.name}.json"


def _finished(sequence: SourceSequence, storage: Storage, source: str, suffix: str) -> Shard | None:
    """The shard that was made of the same files in the same way, if it lies there whole."""
    try:
        note = json.loads(storage.read(_note(sequence)))
        shard = Shard(**(note["shard"] | {"frames": tuple(note["shard"]["frames"])}))
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
        return None
    same = note["source"] == source and storage.size(shard.file) == shard.bytes
    return shard if same and shard.file.endswith(suffix) else None


def _converted(
    sequence: SourceSequence, settings: Settings, pool: Executor, *, ahead: int, skip_broken: bool
) -> Iterator[Row]:
    waiting: deque[Future[Row]] = deque()
    for pair in sequence.read():
        waiting.append(pool.submit(convert, pair, sequence.name, settings))
        if len(waiting) > ahead:
            yield from _result(waiting.popleft(), skip_broken=skip_broken)
    for future in waiting:
        yield from _result(future, skip_broken=skip_broken)


def _counted(rows: Iterable[Row], progress: Callable[[int], None]) -> Iterator[Row]:
    for row in rows:
        yield row
        progress(1)


def _result(future: Future[Row], *, skip_broken: bool) -> Iterator[Row]:
    try:
        yield future.result()
    except ValueError as error:
        if not skip_broken:
            raise
        log.warning(f"data.on_error=skip: {error}")


def published(pairs: Sequence[FramePair], split: str) -> list[SourceSequence]:
    """The sequences of published frame pairs, sorted by sequence and frame."""

    def read(frames: list[FramePair]) -> Iterator[EncodedPair]:
        for pair in frames:
            yield EncodedPair(
                pair.frame,
                pair.blurred.read_bytes(),
                pair.sharp.read_bytes(),
                blurred_name=str(pair.blurred),
                sharp_name=str(pair.sharp),
            )

    sequences = []
    for name, group in groupby(pairs, key=lambda pair: pair.sequence):
        frames = list(group)
        digest = hashlib.sha256()
        for pair in frames:
            for side in (pair.blurred, pair.sharp):
                status = side.stat()
                digest.update(f"{side.name} {status.st_size} {status.st_mtime_ns}\n".encode())
        sequences.append(SourceSequence(split, name, digest.hexdigest(), len(frames), partial(read, frames)))
    return sequences
