"""The index of prepared frames: which shards there are and how they were made."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from deblurlab.data.shards.shard_rows import Codec
from deblurlab.data.splits import PublishedSplit

INDEX = "index.json"
VERSION = 1
# A folder and a name that is not hidden, is not "..", and contains no other separator.
_FILE = re.compile(r"(train|test)/[^./\\\0][^/\\\0]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Settings(NamedTuple):
    """The settings with which all shards of an index were made.

    Attributes:
        codec: The encoding of the frames.
        size: Height and width to which frames were resized.
        antialias: See :func:`deblurlab.data.pixels.resize`.
    """

    codec: Codec
    size: tuple[int, int]
    antialias: bool


class Shard(NamedTuple):
    """A shard as the index lists it.

    Attributes:
        file: The shard's name, relative to the index's folder.
        split: The published split that its frames belong to.
        sequence: The sequence whose frames these are.
        frames: The names of the frames, row by row.
        bytes: The size of the file.
        sha256: The checksum of the file.
    """

    file: str
    split: PublishedSplit
    sequence: str
    frames: tuple[str, ...]
    bytes: int
    sha256: str

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Shard":
        """The inverse of ``_asdict`` after a round trip through JSON, which has no tuples.

        Raises:
            ValueError: If the file or the checksum is malformed. Both become parts of paths, so that the index of a
                stranger could otherwise name any file.
        """
        shard = cls(**(content | {"frames": tuple(content["frames"])}))
        for name, value, plain in (("file", shard.file, _FILE), ("sha256", shard.sha256, _SHA256)):
            if not plain.fullmatch(str(value)):
                raise ValueError(f"{value!r} is not the {name} of a shard")
        if not isinstance(shard.bytes, int):
            raise TypeError(f"{shard.bytes!r} is not a number of bytes")
        return shard


class Index(NamedTuple):
    """All shards of a data set."""

    settings: Settings
    shards: tuple[Shard, ...]


def to_json(index: Index) -> str:
    """The text of index.json."""
    shards = [shard._asdict() for shard in index.shards]
    return json.dumps({"version": VERSION, "settings": index.settings._asdict(), "shards": shards}, indent=1)


def from_json(text: bytes, name: str) -> Index:
    """Parse an index.json called ``name`` in messages; ValueError if it is not an index of this version."""
    try:
        content = json.loads(text)
        version = content["version"]
        if version == VERSION:
            settings = Settings(**(content["settings"] | {"size": tuple(content["settings"]["size"])}))
            return Index(settings, tuple(Shard.from_json(shard) for shard in content["shards"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name} is not an index of prepared frames ({error!r}). Prepare the data again.") from error
    raise ValueError(f"{name} is of version {version}, this deblurlab reads version {VERSION}.")


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
