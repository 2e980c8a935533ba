"""TFRecord files of frame pairs, read and written without TensorFlow.

A record is framed by its length and two masked CRC-32C checksums; it holds a ``tf.train.Example`` with the
features ``blur`` and ``sharp``, each the bytes of a PNG (the study's files: one a sequence).
"""

import struct
from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from pyarrow import fs

from deblurlab.data.preparing.write import EncodedPair, SourceSequence
from deblurlab.data.shards.format import Row
from deblurlab.data.shards.storage import Storage

_SUFFIXES = (".tfrecord", ".tfrecords", ".tfrec")
_TEST_FOLDERS = {"test", "val"}


def _missing(error: ImportError) -> ValueError:
    return ValueError(f"TFRecord files need more packages ({error.name}): pip install 'deblurlab[tfrecord]'.")


@cache
def _crc32c() -> Any:
    try:
        import google_crc32c
    except ImportError as error:
        raise _missing(error) from error
    return google_crc32c.value


def masked_crc(data: bytes) -> int:
    """TFRecord's checksum: CRC-32C rotated right by 15 bits plus a constant, so that a CRC of a CRC is no trap."""
    crc: int = _crc32c()(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _example() -> Any:
    """The message class ``tf.train.Example``, as far as features of bytes go."""
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ImportError as error:
        raise _missing(error) from error
    file = descriptor_pb2.FileDescriptorProto(name="deblurlab_example.proto", package="deblurlab", syntax="proto3")

    def message(name: str, *fields: tuple[str, int, str, bool]) -> None:
        made = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            one = made.field.add(name=field, number=number, label=3 if repeated else 1)
            one.type = {"bytes": one.TYPE_BYTES, "string": one.TYPE_STRING}.get(kind, one.TYPE_MESSAGE)
            if one.type == one.TYPE_MESSAGE:
                one.type_name = f".deblurlab.{kind}"

    message("BytesList", ("value", 1, "bytes", True))
    message("Feature", ("bytes_list", 1, "BytesList", False))
    message("Entry", ("key", 1, "string", False), ("value", 2, "Feature", False))  # a map's entry, on the wire
    message("Features", ("feature", 1, "Entry", True))
    message("Example", ("features", 1, "Features", False))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("deblurlab.Example"))


def read_records(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """The records of a TFRecord file.

    Raises:
        ValueError: naming file and record, if the file is cut short or a checksum does not match.
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


def write_tfrecord(file: Path, rows: Iterable[Row]) -> tuple[str, ...]:
    """Write rows to a new file, features blur, sharp, sequence and frame; returns the frames' names."""
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


def example_bytes(features: dict[str, bytes]) -> bytes:
    """A serialized ``tf.train.Example`` with one value a feature."""
    example = _example()()
    for key, value in sorted(features.items()):
        entry = example.features.feature.add(key=key)
        entry.value.bytes_list.value.append(value)
    data: bytes = example.SerializeToString()
    return data


def example_features(data: bytes, name: str) -> dict[str, bytes]:
    """The first value of each bytes feature of a serialized ``tf.train.Example``; ValueError naming what is none."""
    from google.protobuf.message import DecodeError

    try:
        example = _example().FromString(data)
    except DecodeError as error:
        raise ValueError(f"{name} is no tf.train.Example ({error}).") from error
    lists = {entry.key: entry.value.bytes_list.value for entry in example.features.feature}
    return {key: values[0] for key, values in lists.items() if values}


def record_sequences(storage: Storage) -> list[SourceSequence]:
    """The TFRecord files below a root, one a sequence; those below a folder ``test`` or ``val`` are for testing."""
    try:
        files = storage.filesystem.get_file_info(fs.FileSelector(storage.base, recursive=True))
    except FileNotFoundError:
        return []
    sequences = []
    for file in sorted(files, key=lambda file: str(file.path)):
        path = PurePosixPath(file.path)
        if path.suffix in _SUFFIXES and file.type == fs.FileType.File:
            folders = set(path.relative_to(storage.base).parts[:-1])
            split = "test" if folders & _TEST_FOLDERS else "train"
            fingerprint = f"{file.size} {file.mtime_ns}"
            sequences.append(SourceSequence(split, path.stem, fingerprint, 0, partial(_pairs, storage, str(path))))
    return sequences


def _pairs(storage: Storage, path: str) -> Iterator[EncodedPair]:
    with storage.filesystem.open_input_stream(path) as stream:
        for number, data in enumerate(read_records(stream, path)):
            name = f"{path}, record {number}"
            features = example_features(data, name)
            if missing := {"blur", "sharp"} - features.keys():
                raise ValueError(f"{name} lacks the features {sorted(missing)}; it has {sorted(features)}.")
            frame = features.get("frame", f"{number:08}".encode()).decode()
            yield EncodedPair(frame, features["blur"], features["sharp"], f"{name}, blur", f"{name}, sharp")
