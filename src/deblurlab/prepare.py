"""Check a data set of video frames, or decode and resize it once and write it as shards; or write drawn test pairs.

Examples:
    deblurlab prepare data=reds data.root=REDS check=true        # is all there, whole and aligned?
    deblurlab prepare data=reds data.root=REDS out=shards/reds   # then train with data.root=shards/reds
    deblurlab prepare data=reds data.root=REDS out=gs://bucket/reds
    deblurlab prepare data=reds data.root=TFRECORDS out=shards/reds      # the study's TFRecord files
    deblurlab prepare data=reds data.root=REDS out=records format=tfrecord
    deblurlab prepare data=folder data/blur=camera data.root=PHOTOGRAPHS out=drawn   # the drawn test pictures
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from omegaconf import DictConfig

from deblurlab.app.command import command
from deblurlab.app.progress_bar import progress_bar
from deblurlab.checks import require
from deblurlab.checks.words import counted

if TYPE_CHECKING:
    from deblurlab.data import Folder, VideoFrames

log = logging.getLogger(__name__)


@command("prepare")
def main(cfg: DictConfig) -> None:
    """Check or write the frames of ``cfg.data``."""
    from deblurlab.app import build
    from deblurlab.data import Folder, VideoFrames

    data = build.data(cfg)
    if isinstance(data, Folder) and not cfg.check:
        _write_pairs(data, cfg.out)
        return
    if not isinstance(data, VideoFrames):
        raise ValueError(
            "prepare takes the data sets of video frames: data=reds or data=gopro; of data=folder it writes test pairs."
        )
    require.workers("workers", cfg.workers, at_least=1)
    if cfg.check:
        _check(data, workers=cfg.workers)
    else:
        _write(data, cfg)


def _write_pairs(data: "Folder", out: str | None) -> None:
    """Write the test pictures of a folder with the blur that a test draws for them."""
    from deblurlab.data.preparing.drawn_pairs import write_test_pairs

    if out is None:
        raise ValueError("Name the folder to write to: out=drawn.")
    source = data.source("test")
    with progress_bar("drawing", unit="pictures", total=len(source.groups)) as bar:
        count = write_test_pairs(source, Path(out), progress=bar.update)
    log.info(f"{counted(count, 'pair')} in {out}. Test with data=folder data.root={out}")


def _check(data: "VideoFrames", *, workers: int) -> None:
    from deblurlab.data.preparing import check_report
    from deblurlab.data.preparing.check_frames import check_frames
    from deblurlab.data.preparing.check_shards import check_shards

    with progress_bar("checking", unit="frames") as bar:
        if data.index is not None:
            report = check_shards(data.storage, data.index, workers=workers, progress=bar.update)
            checked, remedy = "every shard is whole and in its place", "Delete these files and run prepare again."
        else:
            report = check_frames(Path(data.root), data.layout, workers=workers, progress=bar.update)
            checked, remedy = "every pair is readable, of one size and aligned", data.layout.help()
    check_report.tell(report, root=data.storage.names(""), layout=data.layout, checked=checked, remedy=remedy)


def _write(data: "VideoFrames", cfg: DictConfig) -> None:
    """Write shards or TFRecord files. A call that was interrupted goes on where it stopped."""
    from deblurlab.data.preparing.sequences import published_sequences
    from deblurlab.data.preparing.tfrecord import TFRECORD, record_sequences
    from deblurlab.data.preparing.write import PARQUET, prepare_sequences
    from deblurlab.data.shards.format import Settings
    from deblurlab.data.shards.shard_rows import Codec
    from deblurlab.data.shards.storage import Storage
    from deblurlab.data.splits import PublishedSplit

    if cfg.out is None:
        raise ValueError("Name the folder or bucket to write to: out=shards/reds or out=gs://bucket/reds.")
    require.one_of("format", cfg.format, ("parquet", "tfrecord"))
    require.one_of("codec", cfg.codec, get_args(Codec))
    storage, form = Storage(cfg.out, wait_seconds=data.wait_seconds), TFRECORD if cfg.format == "tfrecord" else PARQUET
    sequences = record_sequences(data.storage) or [
        sequence for split in get_args(PublishedSplit) for sequence in published_sequences(data.pairs(split), split)
    ]
    log.info(f"{counted(len(sequences), 'sequence')} to {storage.names('')}")
    total = sum(sequence.frames for sequence in sequences)
    with progress_bar("preparing", unit="frames", total=total or None) as bar:
        index = prepare_sequences(
            sequences,
            storage,
            Settings("png" if form is TFRECORD else cfg.codec, data.size, data.antialias),
            workers=cfg.workers,
            skip_broken=data.on_error == "skip",
            progress=bar.update,
            form=form,
        )
    frames = sum(len(shard.frames) for shard in index.shards)
    size = sum(shard.bytes for shard in index.shards)
    use = f"Train with data.root={storage.names('')}" if form.indexed else "For TensorFlow"
    log.info(f"{counted(frames, 'frame pair')} in {counted(len(index.shards), 'file')}, {size / 2**20:,.1f} MiB. {use}")


if __name__ == "__main__":
    main()
