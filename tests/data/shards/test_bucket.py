import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deblurlab.data import VideoFrames
from deblurlab.data.shards import waiting
from deblurlab.data.shards.cache import ShardCache
from deblurlab.data.shards.index import Shard, sha256_of
from deblurlab.data.shards.storage import Storage
from deblurlab.data.sources.shard_frames import read_index
from tests.conftest import HANG_SECONDS
from tests.data.frame_sets import equal, prepared, shards
from tests.data.shards.bucket import Fault, FaultyProxy, s3_server

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyProxy]:
    with s3_server() as proxy:
        yield proxy


@pytest.fixture
def bucket(server: FaultyProxy, make_reds: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Shards in the bucket, and the same ones in ``tmp_path/out``."""
    monkeypatch.setattr(waiting, "PAUSES", (0.01, 0.02, 0.05))
    root = make_reds(sequences=4, frames=4)
    url = server.url.format(path=tmp_path.name)
    assert prepared(root, url) == prepared(root, tmp_path / "out")
    return url


def from_bucket(url: str, cache: Path, **options: object) -> VideoFrames:
    return shards(url, cache=str(cache), batch_size=5, **options)  # type: ignore[arg-type]


def same_epochs(left: VideoFrames, right: VideoFrames) -> None:
    for epoch in range(2):
        batches = (data.train_dataloader().batches(epoch) for data in (left, right))
        assert all(equal(*pair) for pair in zip(*batches, strict=True))


def test_the_bucket_trains_as_the_disk_does(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched, fetch = [], Storage.fetch
    monkeypatch.setattr(Storage, "fetch", lambda self, name, target: (fetched.append(name), fetch(self, name, target)))
    data = from_bucket(bucket, tmp_path / "cache")
    same_epochs(data, shards(tmp_path / "out", batch_size=5))
    local = shards(tmp_path / "out", batch_size=5)
    for batch, expected in zip(data.test_dataloader(), local.test_dataloader(), strict=True):
        assert equal(batch, expected)
    index = read_index(Storage(bucket))
    assert index is not None
    assert sorted(fetched) == sorted(shard.file for shard in index.shards)  # each once


@pytest.mark.parametrize("fault", ["503", "drop", "truncate", "corrupt", "slow"])
def test_faults_are_outlasted(bucket: str, server: FaultyProxy, tmp_path: Path, fault: Fault) -> None:
    server.break_next(".parquet", fault, fault, fault)
    same_epochs(from_bucket(bucket, tmp_path / "cache"), shards(tmp_path / "out", batch_size=5))
    assert server.done == [fault] * 3
    assert not list((tmp_path / "cache").glob("*.partial"))


def test_a_lasting_fault_names_the_shard(bucket: str, server: FaultyProxy, tmp_path: Path) -> None:
    server.break_next("train/002.parquet", *["corrupt"] * 50)
    with pytest.raises(ValueError, match=r"Fetching s3://.*train/002\.parquet failed \d+ times in \d+ s: .* checksum"):
        list(from_bucket(bucket, tmp_path / "cache", wait_seconds=0.1).train_dataloader())
    server.break_next("\0")


def test_a_shard_that_failed_is_not_waited_for_again(bucket: str, server: FaultyProxy, tmp_path: Path) -> None:
    server.break_next("train/002.parquet", *["corrupt"] * 50)
    data = from_bucket(bucket, tmp_path / "cache", on_error="skip", wait_seconds=0.1)
    batches, tries = list(data.train_dataloader()), len(server.done)
    batches += list(data.train_dataloader())
    assert sum(int((~batch.valid).sum()) for batch in batches) > 0
    assert len(server.done) == tries > 0  # the tries for the first of its frames
    server.break_next("\0")


def test_a_copy_damaged_on_the_disk_is_fetched_again(
    bucket: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    same_epochs(from_bucket(bucket, tmp_path / "cache"), shards(tmp_path / "out", batch_size=5))
    for copy in (tmp_path / "cache").glob("*.parquet"):
        content = bytearray(copy.read_bytes())
        content[len(content) // 3] ^= 1
        copy.write_bytes(content)
    same_epochs(from_bucket(bucket, tmp_path / "cache"), shards(tmp_path / "out", batch_size=5))
    assert "is damaged: fetching it again" in caplog.text


def test_a_copy_that_is_deleted_while_it_is_asked_for_is_fetched_again(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another thread that has found it damaged, or another process that makes room."""
    source = Storage(bucket)
    index = read_index(source)
    assert index is not None
    cache = ShardCache(source, folder=tmp_path / "cache", limit=2**30)
    cache.local(index.shards[0])
    utime = os.utime

    def deleted_before(file: Path) -> None:
        file.unlink(missing_ok=True)
        utime(file)

    monkeypatch.setattr(os, "utime", deleted_before)
    assert cache.local(index.shards[0]).is_file()


def test_keys_in_an_address_are_not_shown() -> None:
    assert Storage("s3://key:secret@bucket/reds?region=here").address() == "s3://bucket/reds"


def test_the_cache_stays_within_its_limit(bucket: str, tmp_path: Path) -> None:
    source = Storage(bucket)
    index = read_index(source)
    assert index is not None
    largest = max(shard.bytes for shard in index.shards)
    cache = ShardCache(source, folder=tmp_path / "cache", limit=2 * largest)
    for shard in index.shards * 2:
        cache.local(shard)
        assert sum(file.stat().st_size for file in (tmp_path / "cache").glob("*.parquet")) <= 2 * largest
    with pytest.raises(ValueError, match="holds no four shards"):
        from_bucket(bucket, tmp_path / "cache", cache_gib=3 * largest / 2**30).source("train")


def test_shards_that_arrive_together_stay_within_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room for two. Two are there, and two others are fetched at the same time."""
    listed = []
    for number in range(4):
        file = tmp_path / f"data/train/{number}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes([number]) * 100)
        listed.append(Shard(f"train/{number}.parquet", "train", str(number), ("0",), 100, sha256_of(file)))
    source = Storage(str(tmp_path / "data"))
    cache = ShardCache(source, folder=tmp_path / "cache", limit=200)
    for shard in listed[:2]:
        cache.local(shard)
    both, fetch = threading.Barrier(2, timeout=HANG_SECONDS), source.fetch

    def fetched_together(name: str, target: Path) -> None:
        both.wait()
        fetch(name, target)

    monkeypatch.setattr(source, "fetch", fetched_together)
    with ThreadPoolExecutor(2) as pool:
        copies = list(pool.map(cache.local, listed[2:]))
    assert sorted((tmp_path / "cache").glob("*.parquet")) == sorted(copies)


def test_what_a_killed_process_left_half_fetched_is_thrown_away(bucket: str, tmp_path: Path) -> None:
    source = Storage(bucket)
    index = read_index(source)
    assert index is not None
    old, new = (tmp_path / f".{name}.parquet.partial" for name in ("old", "new"))
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))
    ShardCache(source, folder=tmp_path, limit=2**30).local(index.shards[0])
    assert not old.exists()
    assert new.exists()


def test_shards_are_fetched_ahead(bucket: str, tmp_path: Path) -> None:
    source = Storage(bucket)
    index = read_index(source)
    assert index is not None
    cache = ShardCache(source, folder=tmp_path / "cache", limit=2**30)
    cache.expect(index.shards)
    cache.local(index.shards[0])
    cache._pool.shutdown()
    assert len(list((tmp_path / "cache").glob("*.parquet"))) == 3


def test_an_unfinished_bucket_and_a_missing_one_say_what_to_do(server: FaultyProxy) -> None:
    with pytest.raises(ValueError, match=r"^s3://bucket/nothing/index\.json is not there: no frames were prepared"):
        shards(server.url.format(path="nothing")).source("train")
    for other in ("ftp://host/path", "hf://datasets/someone/frames"):
        with pytest.raises(ValueError, match=f"^{other} cannot be opened: it is a folder, gs://"):
            shards(other).source("train")
