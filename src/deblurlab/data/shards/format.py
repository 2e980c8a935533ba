"""Prepared frames: one Parquet file a sequence, one frame pair a row group, and an index over the files.

A shard's columns are ``sequence``, ``frame``, ``blurred`` and ``sharp`` (a frame at training size, lossless),
and the SHA-256 of the two files they were made of. The index is written last: where it is, all shards are.
"""

import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from deblurlab.data.pixels import Pixels, decode

Codec = Literal["webp", "png", "raw"]

INDEX = "index.json"
VERSION = 1

SCHEMA = pa.schema(
    [
        pa.field("sequence", pa.string(), nullable=False),
        pa.field("frame", pa.string(), nullable=False),
        pa.field("blurred", pa.binary(), nullable=False),
        pa.field("sharp", pa.binary(), nullable=False),
        pa.field("blurred_sha256", pa.string(), nullable=False),
        pa.field("sharp_sha256", pa.string(), nullable=False),
    ]
)


class Row(NamedTuple):
    """One frame pair of a shard, encoded."""

    sequence: str
    frame: str
    blurred: bytes
    sharp: bytes
    blurred_sha256: str
    sharp_sha256: str


class Settings(NamedTuple):
    """How all shards of an index were made."""

    codec: Codec
    size: tuple[int, int]
    antialias: bool


class Shard(NamedTuple):
    """A shard as the index lists it.

    Attributes:
        file: its name below the index's folder.
        split: the official split, "train" or "test".
        sequence: whose frames these are.
        frames: their names, row by row.
        bytes: the file's size.
        sha256: of the file.
    """

    file: str
    split: str
    sequence: str
    frames: tuple[str, ...]
    bytes: int
    sha256: str


class Index(NamedTuple):
    """All shards of a data set."""

    settings: Settings
    shards: tuple[Shard, ...]


def encode(pixels: Pixels, codec: Codec) -> bytes:
    """(H, W, 3) uint8 without loss. WebP at its fastest effort is smaller than PNG and quicker both ways."""
    if codec == "raw":
        return pixels.tobytes()
    stream = io.BytesIO()
    if codec == "webp":
        Image.fromarray(pixels).save(stream, "WEBP", lossless=True, quality=0, method=0)
    else:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=6)
    return stream.getvalue()


def decode_row(data: memoryview, settings: Settings, name: str) -> Pixels:
    """What :func:`encode` made, (H, W, 3); ValueError naming it if it is something else."""
    if settings.codec != "raw":
        pixels = decode(data, name)
        if pixels.shape[:2] == settings.size:
            return pixels
    elif len(data) == settings.size[0] * settings.size[1] * 3:
        return np.frombuffer(data, dtype=np.uint8).reshape(*settings.size, 3)
    raise ValueError(f"{name} is not {settings.size[1]}x{settings.size[0]} as its index says. Prepare the data again.")


def write_shard(file: Path, rows: Iterable[Row]) -> tuple[str, ...]:
    """Write rows to a new Parquet file, with checksums on its pages; returns the frames' names."""
    frames = []
    with pq.ParquetWriter(
        file, SCHEMA, compression="none", use_dictionary=False, write_statistics=False, write_page_checksum=True
    ) as writer:
        for row in rows:
            frames.append(row.frame)
            writer.write_table(pa.Table.from_pylist([row._asdict()], schema=SCHEMA))
    return tuple(frames)


def sha256_of(file: Path) -> str:
    """A file's SHA-256."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def to_json(index: Index) -> str:
    """The text of index.json."""
    shards = [shard._asdict() for shard in index.shards]
    return json.dumps({"version": VERSION, "settings": index.settings._asdict(), "shards": shards}, indent=1)


def from_json(text: bytes, name: str) -> Index:
    """An index.json's content; ValueError naming the file if it is none of this version."""
    try:
        content = json.loads(text)
        if content["version"] != VERSION:
            raise ValueError(f"{name} is of version {content['version']}, this deblurlab reads version {VERSION}.")
        settings = _settings(content["settings"])
        shards = tuple(Shard(**(shard | {"frames": tuple(shard["frames"])})) for shard in content["shards"])
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{name} is no index of prepared frames ({error!r}). Prepare the data again.") from error
    return Index(settings, shards)


def _settings(content: dict[str, Any]) -> Settings:
    return Settings(**(content | {"size": tuple(content["size"])}))


def require_codec(codec: str) -> None:
    """ValueError if there is no such codec."""
    if codec not in get_args(Codec):
        raise ValueError(f"codec must be one of {', '.join(get_args(Codec))}, got {codec}.")
