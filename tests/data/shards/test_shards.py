import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from deblurlab.data.preparing.sequences import EncodedPair, SourceSequence
from deblurlab.data.preparing.write import prepare_sequences
from deblurlab.data.shards.index import INDEX, Settings
from deblurlab.data.shards.storage import Storage
from tests.data.frame_sets import SETTINGS, equal, frames, prepared, shards

Make = Callable[..., Path]


@pytest.mark.parametrize("codec", ["webp", "png", "raw"])
@pytest.mark.parametrize("antialias", [True, False])
def test_shards_give_the_very_frames_of_the_raw_files(
    make_reds: Make, tmp_path: Path, codec: Any, antialias: bool
) -> None:
    root, out = make_reds(sequences=9, frames=2), tmp_path / "out with space ü"
    prepared(root, out, Settings(codec, (18, 32), antialias))
    raw, made = shards(root, antialias=antialias), shards(out, antialias=antialias)
    for split in ("train", "val", "test"):
        left, right = raw.source(split), made.source(split)
        assert len(left.groups) == len(right.groups)
        for frame in range(len(left.groups)):
            assert left.name(frame) == right.name(frame)
            for before, after in zip(left.read(frame, 0), right.read(frame, 0), strict=True):
                np.testing.assert_array_equal(before, after)


def test_a_shard_is_one_row_group_a_frame_with_its_checksums(make_reds: Make, tmp_path: Path) -> None:
    import hashlib

    root = make_reds(frames=3)
    prepared(root, tmp_path / "out")
    file = pq.ParquetFile(tmp_path / "out" / "train" / "001.parquet")
    assert file.num_row_groups == 3
    row = file.read_row_group(2).to_pylist()[0]
    assert (row["sequence"], row["frame"]) == ("001", "00000002")
    source = root / "train" / "train_sharp" / "001" / "00000002.png"
    assert row["sharp_sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()


def test_interrupted_preparation_goes_on_and_never_looks_finished(make_reds: Make, tmp_path: Path) -> None:
    root, out = make_reds(sequences=3, frames=2), tmp_path / "out"
    broken = root / "train" / "train_blur" / "001" / "00000001.png"
    content = broken.read_bytes()
    broken.write_bytes(content[:500])
    with pytest.raises(ValueError, match=str(broken)):
        prepared(root, out, workers=1)
    assert not (out / INDEX).exists()
    assert not (out / "train" / "001.parquet").exists()
    with pytest.raises(ValueError, match=r"deblurlab\.prepare was interrupted"):
        shards(out).source("train")
    first = (out / "train" / "000.parquet").stat().st_mtime_ns
    broken.write_bytes(content)
    index = prepared(root, out)
    assert [shard.file for shard in index.shards] == [f"train/00{i}.parquet" for i in range(3)] + ["test/000.parquet"]
    assert (out / "train" / "000.parquet").stat().st_mtime_ns == first  # kept, not made again


def test_changed_sources_and_settings_are_prepared_anew(make_reds: Make, tmp_path: Path) -> None:
    root, out = make_reds(frames=2), tmp_path / "out"
    before = prepared(root, out)
    assert prepared(root, out) == before
    (root / "train" / "train_blur" / "000" / "00000000.png").write_bytes(
        (root / "train" / "train_blur" / "001" / "00000000.png").read_bytes()
    )
    after = prepared(root, out)
    assert [a.sha256 == b.sha256 for a, b in zip(before.shards, after.shards, strict=True)] == [False, True, True]
    assert prepared(root, out, Settings("png", (18, 32), True)).settings.codec == "png"


def test_an_index_of_another_size_is_refused(make_reds: Make, tmp_path: Path) -> None:
    prepared(make_reds(), tmp_path / "out")
    with pytest.raises(ValueError, match=r"prepared with data\.size=\[18, 32\] .* data\.size=\[36, 64\]"):
        frames(tmp_path / "out").source("train")


def test_broken_frames_can_be_left_out(make_reds: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = make_reds(sequences=2, frames=3)
    (root / "train" / "train_blur" / "000" / "00000001.png").write_bytes(b"")
    index = prepared(root, tmp_path / "out", skip_broken=True)
    assert index.shards[0].frames == ("00000000", "00000002")
    assert "00000001.png is empty" in caplog.text


def test_a_source_that_changed_is_prepared_again(make_reds: Make, tmp_path: Path) -> None:
    root, out = make_reds(sequences=1, frames=3), tmp_path / "out"
    broken = root / "train/train_blur/000/00000001.png"
    whole = broken.read_bytes()
    broken.write_bytes(bytes(len(whole)))
    assert len(prepared(root, out, skip_broken=True).shards[0].frames) == 2
    with pytest.raises(ValueError, match=r"00000001\.png cannot be read"):
        prepared(root, out)  # what was left out is not taken for whole
    broken.write_bytes(whole)  # of the same size
    assert len(prepared(root, out, skip_broken=True).shards[0].frames) == 3


def test_two_sequences_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = [SourceSequence("train", "000", source, 1, lambda: iter(())) for source in ("a", "b")]
    with pytest.raises(ValueError, match=r"Several sequences would be written to train/000\.parquet"):
        prepare_sequences(
            twice, Storage(str(tmp_path)), SETTINGS, workers=1, skip_broken=False, progress=lambda _: None
        )


def test_every_damaged_byte_of_a_row_is_noticed_and_named(make_reds: Make, tmp_path: Path) -> None:
    """Pages carry checksums: a flipped bit is an error that names shard and row, never another picture."""
    out = tmp_path / "out"
    prepared(make_reds(sequences=1, frames=3), out, Settings("raw", (18, 32), True))
    file = out / "train" / "000.parquet"
    content = file.read_bytes()
    group = pq.ParquetFile(file).metadata.row_group(1)
    for column, name in ((2, "blurred"), (3, "sharp")):
        meta = group.column(column)
        assert meta.path_in_schema == name
        middle = meta.data_page_offset + meta.total_compressed_size // 2
        damaged = bytearray(content)
        damaged[middle] ^= 1
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"train/000\.parquet, row 1 \(000/00000001\) is damaged"):
            shards(out).source("train").read(1, 0)
        shards(out).source("train").read(0, 0)
    file.write_bytes(content[:-50])
    with pytest.raises(ValueError, match=r"train/000\.parquet, row 0 .* is damaged"):
        shards(out).source("train").read(0, 0)


def test_training_skips_and_counts_a_damaged_row(
    make_reds: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "out"
    prepared(make_reds(sequences=1, frames=5), out, Settings("raw", (18, 32), True))
    file = out / "train" / "000.parquet"
    meta = pq.ParquetFile(file).metadata.row_group(1).column(2)
    damaged = bytearray(file.read_bytes())
    damaged[meta.data_page_offset + meta.total_compressed_size // 2] ^= 1
    file.write_bytes(damaged)
    loader = shards(out, batch_size=6, on_error="skip").train_dataloader()
    assert len(list(loader)) == 4
    assert loader.reader.skipped == {1}
    assert "row 1 (000/00000001) is damaged" in caplog.text


def test_resume_from_shards_is_exact(make_reds: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepared(make_reds(sequences=4, frames=4), out)
    options = {"batch_size": 5, "mixed_frames": 3}
    expected = list(shards(out, **options).train_dataloader().batches(2))
    resumed = shards(out, **options).train_dataloader()
    resumed.load_state_dict({"epoch": 2, "consumed_batches": 6})
    assert all(equal(*pair) for pair in zip(resumed, expected[6:], strict=True))


def test_preparing_uses_its_workers_and_bounds_what_it_holds(tmp_path: Path) -> None:
    """Frames are read no further ahead than the workers need."""
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (32, 18)).save(stream, "PNG")
    read, written, most = 0, 0, 0
    lock = threading.Lock()

    def pairs() -> Any:
        nonlocal read, most
        for number in range(60):
            with lock:
                read += 1
                most = max(most, read - written)
            yield EncodedPair(f"{number:03}", stream.getvalue(), stream.getvalue(), "a", "b")

    def progress(count: int) -> None:
        nonlocal written
        with lock:
            written += count

    sequence = SourceSequence("train", "000", "", 60, pairs)
    prepare_sequences([sequence], Storage(str(tmp_path)), SETTINGS, workers=2, skip_broken=False, progress=progress)
    assert (read, written) == (60, 60)
    assert most <= 8
