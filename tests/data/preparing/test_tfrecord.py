import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("google_crc32c", reason="the extra tfrecord is not installed")

from deblurlab.data.preparing.tf_example import example_bytes, example_features
from deblurlab.data.preparing.tfrecord import TFRECORD, masked_crc, read_records, record_sequences, write_record
from deblurlab.data.preparing.write import prepare_sequences
from deblurlab.data.shards.index import Settings
from deblurlab.data.shards.storage import Storage
from tests.data.frame_sets import prepared, shards

Make = Callable[..., Path]
PNG = Settings("png", (18, 32), True)


def framed(*records: bytes) -> bytes:
    stream = io.BytesIO()
    for record in records:
        write_record(stream, record)
    return stream.getvalue()


def test_checksum_of_the_crc32c_check_string() -> None:
    """RFC 3720's check value of "123456789" is E3069283; masking as in TensorFlow's crc32c.h."""
    crc = 0xE3069283
    assert masked_crc(b"123456789") == ((crc >> 15) + (crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32


def test_records_and_features_come_back() -> None:
    features = {"blur": b"\0\xff" * 500, "sharp": b"", "frame": b"7"}
    records = [example_bytes(features), b"", b"x" * 70000]
    read = list(read_records(io.BytesIO(framed(*records)), "f"))
    assert read == records
    assert example_features(read[0], "f") == features


def test_no_cut_and_no_flipped_bit_goes_unnoticed() -> None:
    data = framed(b"first record", b"second")
    whole_records = {0, len(framed(b"first record")), len(data)}
    for end in range(len(data) + 1):
        if end not in whole_records:
            with pytest.raises(ValueError, match=r"^f, record [01] is cut short"):
                list(read_records(io.BytesIO(data[:end]), "f"))
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match=r"^f, record [01]: .*checksum"):
            list(read_records(io.BytesIO(bytes(damaged)), "f"))


def test_text_is_no_example() -> None:
    with pytest.raises(ValueError, match=r"f is not a tf\.train\.Example"):
        example_features(b"\xff\xff hello", "f")


def test_through_tfrecord_and_back_to_shards(make_reds: Make, tmp_path: Path) -> None:
    """Frames to TFRecord at their own size, TFRecord to shards: what the frames give directly."""
    root = make_reds(sequences=2, frames=3)
    prepared(root, tmp_path / "records", Settings("png", (36, 64), True), form=TFRECORD)
    sequences = record_sequences(Storage(str(tmp_path / "records")))
    assert [(sequence.split, sequence.name) for sequence in sequences] == [
        ("test", "000"),
        ("train", "000"),
        ("train", "001"),
    ]
    out = Storage(str(tmp_path / "out"))
    prepare_sequences(sequences, out, PNG, workers=2, skip_broken=False, progress=lambda _: None)
    direct, through = shards(root), shards(tmp_path / "out")
    for split in ("train", "val", "test"):
        left, right = direct.source(split), through.source(split)
        for frame in range(len(left.groups)):
            assert left.name(frame) == right.name(frame)
            for before, after in zip(left.read(frame, 0), right.read(frame, 0), strict=True):
                np.testing.assert_array_equal(before, after)


def test_a_damaged_record_stops_prepare_with_its_name(make_reds: Make, tmp_path: Path) -> None:
    prepared(make_reds(), tmp_path / "records", PNG, form=TFRECORD)
    file = tmp_path / "records" / "train" / "001.tfrecord"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(ValueError, match=r"001\.tfrecord, record 1: its checksum does not match"):
        prepare_sequences(
            record_sequences(Storage(str(tmp_path / "records"))),
            Storage(str(tmp_path / "out")),
            PNG,
            workers=1,
            skip_broken=False,
            progress=lambda _: None,
        )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's own
def test_tensorflow_reads_ours_and_we_read_tensorflows(make_reds: Make, tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    root = make_reds(sequences=1, frames=2)
    prepared(root, tmp_path / "ours", Settings("png", (36, 64), True), form=TFRECORD)
    spec = {"blur": tf.io.FixedLenFeature([], tf.string), "sharp": tf.io.FixedLenFeature([], tf.string)}
    source = shards(root, size=[36, 64]).pairs("train")
    records = list(tf.data.TFRecordDataset(str(tmp_path / "ours" / "train" / "000.tfrecord")))
    assert len(records) == len(source) == 2
    for record, pair in zip(records, source, strict=True):
        parsed = tf.io.parse_single_example(record, spec)
        for feature, file in (("blur", pair.blurred), ("sharp", pair.sharp)):
            expected = tf.io.decode_png(file.read_bytes()).numpy()
            np.testing.assert_array_equal(tf.io.decode_png(parsed[feature]).numpy(), expected)

    (tmp_path / "theirs" / "train").mkdir(parents=True)
    with tf.io.TFRecordWriter(str(tmp_path / "theirs" / "train" / "000.tfrecord")) as writer:
        for pair in source:
            feature = {
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[file.read_bytes()]))
                for name, file in (("blur", pair.blurred), ("sharp", pair.sharp))
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    (sequence,) = record_sequences(Storage(str(tmp_path / "theirs")))
    read = list(sequence.read())
    assert [(pair.blurred, pair.sharp) for pair in read] == [
        (pair.blurred.read_bytes(), pair.sharp.read_bytes()) for pair in source
    ]
