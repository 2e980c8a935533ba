"""A shard in another's place is noticed, and an index names shards only."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from deblurlab.data.preparing.check_shards import check_shards
from deblurlab.data.shards.index import INDEX, Settings, from_json
from deblurlab.data.shards.storage import Storage
from deblurlab.data.sources.shard_frames import read_index
from tests.data.frame_sets import prepared, shards

Make = Callable[..., Path]


@pytest.fixture
def out(make_reds: Make, tmp_path: Path) -> Path:
    prepared(make_reds(sequences=2, frames=2), tmp_path / "out", Settings("raw", (18, 32), True))
    return tmp_path / "out"


def listed_as_long(out: Path, file: Path) -> None:
    """Have the index list a file with the size that it has, so that nothing but its content tells it from another."""
    content = json.loads((out / INDEX).read_text())
    for shard in content["shards"]:
        if out / shard["file"] == file:
            shard["bytes"] = file.stat().st_size
    (out / INDEX).write_text(json.dumps(content))


def found(out: Path) -> list[str]:
    storage = Storage(str(out))
    index = read_index(storage)
    assert index is not None
    counts: list[int] = []
    report = check_shards(storage, index, workers=2, progress=counts.append)
    assert sum(counts) == sum(len(shard.frames) for shard in index.shards)
    return [problem.removeprefix(f"{out}/") for problem in report.problems]


def unnamed(file: Path) -> None:
    """Take the shard's name out of its footer, where version 0.1.0 wrote none."""
    table = pq.read_table(file)
    pq.write_table(table.replace_schema_metadata(None), file, row_group_size=1, compression="none")


def test_a_shard_in_anothers_place_is_noticed_when_it_is_read(out: Path) -> None:
    shutil.copy(out / "test/000.parquet", out / "train/000.parquet")  # sequences and frames of the same names
    listed_as_long(out, out / "train/000.parquet")
    with pytest.raises(ValueError, match=r"train/000\.parquet is another shard, 'test/000\.parquet'"):
        shards(out).source("train").read(0, 0)


def test_a_shard_of_another_sequence_is_noticed_though_it_has_no_name(out: Path) -> None:
    first, second = out / "train/000.parquet", out / "train/001.parquet"
    shutil.copy(second, first)
    unnamed(first)
    listed_as_long(out, first)
    with pytest.raises(ValueError, match=r"train/000\.parquet, row 0 .* holds another frame than the index says"):
        shards(out).source("train").read(0, 0)


def test_a_shard_without_a_name_is_read(out: Path) -> None:
    whole = shards(out).source("train").read(0, 0)
    unnamed(out / "train/000.parquet")
    listed_as_long(out, out / "train/000.parquet")
    assert np.array_equal(shards(out).source("train").read(0, 0), whole)


def test_a_whole_file_of_another_size_is_noticed_when_it_is_read(out: Path, make_reds: Make, tmp_path: Path) -> None:
    prepared(make_reds(sequences=2, frames=3), tmp_path / "longer", Settings("raw", (18, 32), True))
    shutil.copy(tmp_path / "longer/train/000.parquet", out / "train/000.parquet")
    with pytest.raises(ValueError, match=r"train/000\.parquet is another file than the index lists: it has \d+ bytes"):
        shards(out).source("train").read(0, 0)


def test_a_check_compares_sizes_and_checksums(out: Path) -> None:
    assert found(out) == []
    shutil.copy(out / "test/000.parquet", out / "train/000.parquet")  # of the same names
    listed_as_long(out, out / "train/000.parquet")
    listed = (out / "train/001.parquet").stat().st_size
    (out / "train/001.parquet").write_bytes(b"PAR1")
    (out / "test/000.parquet").unlink()
    assert found(out) == [
        "train/000.parquet has another checksum than the index lists",
        f"train/001.parquet has 4 bytes, and the index lists {listed:,}",
        "test/000.parquet is missing",
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("file", "../../victim.parquet"),
        ("file", "/etc/passwd"),
        ("file", "train/../../victim.parquet"),
        ("file", "train/.hidden.parquet"),
        ("file", "train/a\\..\\b.parquet"),
        ("file", "elsewhere/000.parquet"),
        ("file", None),
        ("sha256", "../../../victim"),
        ("sha256", "0" * 63),
        ("sha256", 5),
        ("bytes", "many"),
    ],
)
def test_an_index_names_shards_and_checksums_only(key: str, value: object, out: Path) -> None:
    content = json.loads((out / INDEX).read_text())
    assert from_json(json.dumps(content).encode(), "index.json").shards
    content["shards"][1][key] = value
    with pytest.raises(ValueError, match=r"^index\.json is not an index of prepared frames"):
        from_json(json.dumps(content).encode(), "index.json")


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b"5", b'{"version": 1}', b'{"version": 1, "settings": 3, "shards": 5}']
)
def test_what_is_no_index_is_said_to_be_none(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"^index\.json is not an index of prepared frames"):
        from_json(text, "index.json")
