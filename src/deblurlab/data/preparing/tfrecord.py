"""TFRecord files of pairs, read and written without TensorFlow.

A record is framed by its length and two masked CRC-32C checksums. It holds a ``tf.train.Example`` with the features
``blur`` and ``sharp``, each the bytes of a PNG. The study's files hold one sequence each.
"""

import struct
from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from pyarrow import fs

from deblurlab.data.preparing.sequences import EncodedPair, SourceSequence
from deblurlab.data.preparing.tf_example import example_bytes, example_features, missing_package
from deblurlab.data.preparing.write import Format
from deblurlab.data.shards.shard_rows import ShardRow
from deblurlab.data.shards.storage import Storage
from deblurlab.data.splits import PublishedSplit

_SUFFIXES = (".tfrecord", ".tfrecords", ".tfrec")
_TEST_FOLDERS = {"test", "val"}


@cache
def _crc32c() -> Any:
    try:
        import google_crc32c
    except ImportError as error:
        raise missing_package(error) from error
    return google_crc32c.value


def masked_crc(data: bytes) -> int:
    """TFRecord's checksum: CRC-32C, rotated right by 15 bits, plus a constant.

    Without this mask, the CRC of any data followed by their own CRC would always be the same number.
    """
    crc: int = _crc32c()(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def read_records(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """The records of a TFRecord file.

    Args:
        stream: The file.
        name: The name of the file in an error.

    Raises:
        ValueError: If the file is truncated or a checksum does not match; the message names file and record.
    """
    number = 0
    while header := stream.read(12):
        what = f"{name}, record {number}"
        if len(header) < 12:
            raise ValueError(f"{what} is cut short. Get the file again.")
        length, length_crc = struct.unpack("<QI", header)
        if masked_crc(header[:8]) != length_crc:
            raise ValueError(f"{what}: the checksum of its length does not match. Get the file again.")
        data, footer = stream.read(length), stream.read(4)
        if len(data) < length or len(footer) < 4:
            raise ValueError(f"{what} is cut short. Get the file again.")
        if masked_crc(data) != struct.unpack("<I", footer)[0]:
            raise ValueError(f"{what}: its checksum does not match. Get the file again.")
        yield data
        number += 1


def write_record(stream: BinaryIO, data: bytes) -> None:
    """Append a record to a TFRecord file."""
    length = struct.pack("<Q", len(data))
    stream.write(length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data)))


def write_tfrecord(file: Path, rows: Iterable[ShardRow]) -> tuple[str, ...]:
    """Write rows to a new file with the features blur, sharp, sequence and frame; return the frames' names."""
    frames = []
    with file.open("wb") as stream:
        for row in rows:
            frames.append(row.frame)
            features = {
                "blur": row.blurred,
                "sharp": row.sharp,
                "sequence": row.sequence.encode(),
                "frame": row.frame.encode(),
            }
            write_record(stream, example_bytes(features))
    return tuple(frames)


TFRECORD = Format(".tfrecord", lambda file, rows, _: write_tfrecord(file, rows), indexed=False)


def record_sequences(storage: Storage) -> list[SourceSequence]:
    """The TFRecord files below a root, one sequence each. Those below a folder ``test`` or ``val`` are for testing."""
    try:
        files = storage.filesystem.get_file_info(fs.FileSelector(storage.base, recursive=True))
    except FileNotFoundError:
        return []
    sequences = []
    for file in sorted(files, key=lambda file: str(file.path)):
        path = PurePosixPath(file.path)
        if path.suffix in _SUFFIXES and file.type == fs.FileType.File:
            folders = set(path.relative_to(storage.base).parts[:-1])
            split: PublishedSplit = "test" if folders & _TEST_FOLDERS else "train"
            fingerprint = f"{file.size} {file.mtime_ns}"
            sequences.append(SourceSequence(split, path.stem, fingerprint, 0, partial(_read, storage, str(path))))
    return sequences


def _read(storage: Storage, path: str) -> Iterator[EncodedPair]:
    """The pairs of a TFRecord file. The study's records do not name their frames, so these are numbered."""
    with storage.filesystem.open_input_stream(path) as stream:
        for number, data in enumerate(read_records(stream, path)):
            name = f"{path}, record {number}"
            features = example_features(data, name)
            if missing := {"blur", "sharp"} - features.keys():
                raise ValueError(f"{name} lacks the features {sorted(missing)}; it has {sorted(features)}.")
            frame = features.get("frame", f"{number:08}".encode()).decode()
            yield EncodedPair(frame, features["blur"], features["sharp"], f"{name}, blur", f"{name}, sharp")
