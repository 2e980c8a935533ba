"""The rows of a shard: one frame pair each, encoded without loss, with the SHA-256 of the original files."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from deblurlab.data.pixels import Pixels, decode

Codec = Literal["webp", "png", "raw"]

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


class ShardRow(NamedTuple):
    """One frame pair of a shard: the columns of :data:`SCHEMA`.

    Attributes:
        sequence: The sequence's name.
        frame: The frame's name.
        blurred, sharp: The frame at training size, encoded.
        blurred_sha256, sharp_sha256: The checksums of the published files.
    """

    sequence: str
    frame: str
    blurred: bytes
    sharp: bytes
    blurred_sha256: str
    sharp_sha256: str


def encode(pixels: Pixels, codec: Codec) -> bytes:
    """Encode (H, W, 3) uint8 without loss. WebP at its lowest effort is smaller than PNG, and faster both ways."""
    if codec == "raw":
        return pixels.tobytes()
    stream = io.BytesIO()
    if codec == "webp":
        Image.fromarray(pixels).save(stream, "WEBP", lossless=True, quality=0, method=0)
    else:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=6)
    return stream.getvalue()


def decode_encoded(data: memoryview, *, codec: Codec, size: tuple[int, int], name: str) -> Pixels:
    """Decode the result of :func:`encode` to (H, W, 3) uint8.

    Args:
        data: The encoded picture.
        codec: The encoding.
        size: The height and width that it must have.
        name: The name of the picture in an error.

    Raises:
        ValueError: If it is broken or has another size; the message names the picture.
    """
    if codec != "raw":
        pixels = decode(data, name)
        if pixels.shape[:2] == size:
            return pixels
    elif len(data) == size[0] * size[1] * 3:
        return np.frombuffer(data, dtype=np.uint8).reshape(*size, 3)
    raise ValueError(f"{name} is not {size[1]}x{size[0]} as its index says. Prepare the data again.")


# The key of the shard's name in its footer.
NAME_KEY = b"deblurlab.shard"


def write_shard(file: Path, rows: Iterable[ShardRow], name: str) -> tuple[str, ...]:
    """Write rows to a new Parquet file, with checksums on its pages; return the frames' names.

    Args:
        file: The file to write.
        rows: The rows.
        name: The shard's name in the index. It is stored in the footer, to distinguish shards whose sequences and
            frames have the same names.
    """
    frames = []
    schema = SCHEMA.with_metadata({NAME_KEY: name})
    with pq.ParquetWriter(
        file, schema, compression="none", use_dictionary=False, write_statistics=False, write_page_checksum=True
    ) as writer:
        for row in rows:
            frames.append(row.frame)
            writer.write_table(pa.Table.from_pylist([row._asdict()], schema=schema))
    return tuple(frames)
