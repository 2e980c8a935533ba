"""Check a data set of video frames, or decode and resize it once and write it as shards.

Examples:
    deblurlab prepare data=reds data.root=REDS check=true        # is all there, whole and aligned?
    deblurlab prepare data=reds data.root=REDS out=shards/reds   # then train with data.root=shards/reds
    deblurlab prepare data=reds data.root=REDS out=gs://bucket/reds
    deblurlab prepare data=reds data.root=TFRECORDS out=shards/reds      # the study's TFRecord files
    deblurlab prepare data=reds data.root=REDS out=records format=tfrecord
"""

import logging
import sys
from pathlib import Path
from typing import get_args

from omegaconf import DictConfig

from deblurlab.app.command import command
from deblurlab.checks import require

log = logging.getLogger(__name__)


@command("prepare")
def main(cfg: DictConfig) -> None:
    """Check or prepare the frames of ``cfg.data``; a killed command goes on where it stopped."""
    from tqdm import tqdm

    from deblurlab.app import build
    from deblurlab.data import VideoFrames
    from deblurlab.data.preparing import tfrecord, write
    from deblurlab.data.preparing.check_frames import check_frames
    from deblurlab.data.preparing.sequences import published_sequences
    from deblurlab.data.shards.format import Settings
    from deblurlab.data.shards.shard_rows import Codec
    from deblurlab.data.shards.storage import Storage
    from deblurlab.data.splits import PublishedSplit

    data = build.data(cfg)
    if not isinstance(data, VideoFrames):
        raise ValueError("prepare takes the data sets of video frames: data=reds or data=gopro.")
    if cfg.check:
        with tqdm(desc="checking", unit=" frames", disable=not sys.stderr.isatty()) as bar:
            report = check_frames(Path(data.root), data.layout, workers=cfg.workers, progress=bar.update)
        for line in report.summary:
            log.info(line)
        if report.missing:
            log.info("Missing:\n" + "\n".join(f"  {line}" for line in report.missing))
            log.info(f"{data.layout.title} is offered on {data.layout.page}")
        if report.problems:
            problems = "\n".join(f"  {problem}" for problem in report.problems)
            raise ValueError(f"{data.root}: {len(report.problems)} problems.\n{problems}\n{data.layout.help()}")
        log.info("No problems: every pair is readable, of one size and aligned.")
        return
    if cfg.out is None:
        raise ValueError("Name the folder or bucket to write to: out=shards/reds or out=gs://bucket/reds.")
    require.one_of("format", cfg.format, ("parquet", "tfrecord"))
    require.whole_number("workers", cfg.workers, at_least=1)
    require.one_of("codec", cfg.codec, get_args(Codec))
    records = cfg.format == "tfrecord"
    sequences = tfrecord.record_sequences(data.storage) or [
        sequence for split in get_args(PublishedSplit) for sequence in published_sequences(data.pairs(split), split)
    ]
    storage = Storage(cfg.out)
    total = sum(sequence.frames for sequence in sequences)
    log.info(f"{len(sequences)} sequences to {storage.names('')}")
    with tqdm(desc="preparing", total=total or None, unit=" frames", disable=not sys.stderr.isatty()) as bar:
        index = write.prepare_sequences(
            sequences,
            storage,
            Settings("png" if records else cfg.codec, data.size, data.antialias),
            workers=cfg.workers,
            skip_broken=data.on_error == "skip",
            progress=bar.update,
            form=write.Format(".tfrecord", tfrecord.write_tfrecord, indexed=False) if records else write.PARQUET,
        )
    frames = sum(len(shard.frames) for shard in index.shards)
    size = sum(shard.bytes for shard in index.shards)
    use = "For TensorFlow" if records else f"Train with data.root={storage.names('')}"
    log.info(f"{frames:,} frame pairs in {len(index.shards)} files, {size / 2**20:,.1f} MiB. {use}")


if __name__ == "__main__":
    main()
