"""Decodes and resizes a data set once, and writes it as shards."""

import hashlib
import json
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from deblurlab.data.pixels import decode
from deblurlab.data.preparing.sequences import EncodedPair, SourceSequence
from deblurlab.data.shards.index import INDEX, Index, Settings, Shard, sha256_of, to_json
from deblurlab.data.shards.shard_rows import ShardRow, encode, write_shard
from deblurlab.data.shards.storage import Storage
from deblurlab.data.sources.published_frames import resized_pair
from deblurlab.files.scratch import scratch_folder
from deblurlab.signals.interruption import finishing_first, leave_if_asked

log = logging.getLogger(__name__)

# The number of sequences in progress: while one of them is being stored, the next one is decoded.
_SEQUENCES = 2


class Format(NamedTuple):
    """A file format to write.

    Attributes:
        suffix: The suffix of the files' names.
        write: Writes rows to a new file and returns the frames' names. Its last argument is the file's name in the
            storage.
        indexed: Whether an index.json of all files is written, for training.
    """

    suffix: str
    write: Callable[[Path, Iterable[ShardRow], str], tuple[str, ...]]
    indexed: bool


PARQUET = Format(".parquet", write_shard, indexed=True)


def prepare_sequences(
    sequences: Sequence[SourceSequence],
    storage: Storage,
    settings: Settings,
    *,
    workers: int,
    skip_broken: bool,
    progress: Callable[[int], None],
    form: Format = PARQUET,
) -> Index:
    """Write one shard per sequence and, last, the index. Shards that an interrupted call finished are kept.

    A small JSON file beside each shard says from what it was made: a shard is kept if its sequence and the settings are
    still the same.

    Args:
        sequences: The sequences of all splits.
        storage: The storage to write to.
        settings: The settings of the shards.
        workers: The number of threads that decode and encode.
        skip_broken: Leave out broken frames with a warning, instead of stopping at them.
        progress: Called with the number of frames that were just done.
        form: The file format of a shard.

    Raises:
        ValueError: If a file is broken, or two sequences have the same name.
    """
    names = Counter((sequence.split, sequence.name) for sequence in sequences)
    if twice := [f"{split}/{name}" for (split, name), count in names.items() if count > 1]:
        raise ValueError(f"Several sequences would be written to {twice[0]}{form.suffix}: give them different names.")
    storage.remove(INDEX)  # an index means that all shards exist
    with (
        scratch_folder() as scratch,
        ThreadPoolExecutor(workers, thread_name_prefix="frames") as frame_pool,
        ThreadPoolExecutor(_SEQUENCES, thread_name_prefix="sequences") as sequence_pool,
    ):

        def shard_of(sequence: SourceSequence) -> Shard | None:
            source = json.dumps([sequence.fingerprint, settings._asdict(), skip_broken])
            if shard := _finished(sequence, storage, source, form.suffix):
                progress(sequence.frames)
                return shard
            rows = _converted(sequence, settings, frame_pool, ahead=2 * workers, skip_broken=skip_broken)
            return _stored(sequence, _with_progress(rows, progress), storage, source, form, scratch)

        shards: list[Shard] = []
        try:
            with finishing_first():
                for shard in sequence_pool.map(shard_of, sequences):
                    if shard:
                        shards.append(shard)
                    leave_if_asked()
        except BaseException:
            sequence_pool.shutdown(wait=False, cancel_futures=True)
            frame_pool.shutdown(wait=False, cancel_futures=True)
            raise
        index = Index(settings, tuple(shards))
        if form.indexed:
            file = scratch / INDEX
            file.write_text(to_json(index), encoding="utf-8")
            storage.store(INDEX, file)
    return index


def _note(sequence: SourceSequence) -> str:
    """The name of the JSON file that says from what a sequence's shard was made."""
    return f"{sequence.split}/{sequence.name}.json"


def _finished(sequence: SourceSequence, storage: Storage, source: str, suffix: str) -> Shard | None:
    """The shard that was made from the same files with the same settings, if the storage holds all of it."""
    try:
        note = json.loads(storage.read(_note(sequence)))
        shard = Shard.from_json(note["shard"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    same = note["source"] == source and storage.size(shard.file) == shard.bytes
    return shard if same and shard.file.endswith(suffix) else None


def _stored(
    sequence: SourceSequence, rows: Iterable[ShardRow], storage: Storage, source: str, form: Format, scratch: Path
) -> Shard | None:
    """Store the shard of a sequence, and then the note about its source; None if all frames were left out."""
    name = f"{sequence.split}/{sequence.name}{form.suffix}"
    file = scratch / f"{sequence.split}-{sequence.name}{form.suffix}"
    frames = form.write(file, rows, name)
    if not frames:
        return None
    shard = Shard(name, sequence.split, sequence.name, frames, file.stat().st_size, sha256_of(file))
    storage.store(name, file)
    file.write_text(json.dumps({"source": source, "shard": shard._asdict()}), encoding="utf-8")
    storage.store(_note(sequence), file)
    file.unlink()
    return shard


def _converted(
    sequence: SourceSequence, settings: Settings, pool: Executor, *, ahead: int, skip_broken: bool
) -> Iterator[ShardRow]:
    """The rows of a sequence, in order. At most ``ahead`` more are being made, so that memory holds few frames."""
    waiting: deque[Future[ShardRow]] = deque()
    for pair in sequence.read():
        waiting.append(pool.submit(_row, pair, sequence.name, settings))
        if len(waiting) > ahead:
            yield from _result(waiting.popleft(), skip_broken=skip_broken)
    for future in waiting:
        yield from _result(future, skip_broken=skip_broken)


def _row(pair: EncodedPair, sequence: str, settings: Settings) -> ShardRow:
    """Decode, resize and encode one pair; ValueError naming a broken file."""
    resized = resized_pair(
        decode(pair.blurred, pair.blurred_name),
        decode(pair.sharp, pair.sharp_name),
        settings.size,
        antialias=settings.antialias,
        name=pair.blurred_name,
    )
    return ShardRow(
        sequence,
        pair.frame,
        encode(resized.blurred, settings.codec),
        encode(resized.sharp, settings.codec),
        hashlib.sha256(pair.blurred).hexdigest(),
        hashlib.sha256(pair.sharp).hexdigest(),
    )


def _result(future: Future[ShardRow], *, skip_broken: bool) -> Iterator[ShardRow]:
    """The row, or nothing for a broken frame that is left out."""
    try:
        yield future.result()
    except ValueError as error:
        if not skip_broken:
            raise
        log.warning(f"data.on_error=skip: {error}")


def _with_progress(rows: Iterable[ShardRow], progress: Callable[[int], None]) -> Iterator[ShardRow]:
    for row in rows:
        yield row
        progress(1)
