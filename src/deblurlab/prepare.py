"""Check pairs, write frames as shards or drawn test pairs, or average the frames of a fast camera to pairs.

Examples:
    deblurlab prepare data=reds data.root=REDS check=true        # is all there, whole and aligned?
    deblurlab prepare data=reds data.root=REDS out=shards/reds   # then train with data.root=shards/reds
    deblurlab prepare data=reds data.root=REDS out=gs://bucket/reds
    deblurlab prepare data=reds data.root=TFRECORDS out=shards/reds      # the study's TFRecord files
    deblurlab prepare data=reds data.root=REDS out=records format=tfrecord
    deblurlab prepare data=folder data/blur=camera data.root=PHOTOGRAPHS out=drawn   # the drawn test pictures
    deblurlab prepare data=realblur_j data.root=REALBLUR check=true
    deblurlab prepare data=folder data.root=PHOTOGRAPHS check=true       # can a training use all of my pictures?
    deblurlab prepare data=video root=clip.mp4 frames=7,9,11 out=pairs   # 120 or 240 frames per second; or a folder
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from omegaconf import DictConfig

from deblurlab.app.command import command
from deblurlab.app.invocation import choices
from deblurlab.app.progress_bar import progress_bar
from deblurlab.checks import require
from deblurlab.checks.command_line import assignment
from deblurlab.checks.words import counted

if TYPE_CHECKING:
    from deblurlab.data import Folder, PublishedPairs, VideoFrames

log = logging.getLogger(__name__)


@command("prepare")
def main(cfg: DictConfig) -> None:
    """Check or write the frames of ``cfg.data``, or write those of the videos in ``cfg.root``."""
    from deblurlab.app import build
    from deblurlab.data import Folder, PublishedPairs, VideoFrames

    data = build.data(cfg)
    if not isinstance(data, VideoFrames | PublishedPairs | Folder):
        raise ValueError("prepare takes pairs in a published layout, such as data=reds, or your own, data=folder.")
    if cfg.root is not None and (chosen := choices().get("data")) != "video":
        raise ValueError(
            f"root={cfg.root} is a clip for data=video. The pictures of data={chosen} are "
            f"{assignment('data.root', cfg.root)}."
        )
    require.workers("workers", cfg.workers, at_least=1)
    if cfg.root is not None:
        assert not isinstance(data, Folder)
        _average(data, cfg)
    elif cfg.check:
        _check(data, workers=cfg.workers)
    elif isinstance(data, Folder):
        _write_pairs(data, cfg.out)
    elif isinstance(data, VideoFrames):
        _write(data, cfg)
    else:
        raise ValueError(
            f"The pairs of {data.layout.title} are trained on as they are; check=true checks them. "
            "data=video root=CLIP makes pairs of a video."
        )


def _write_pairs(data: "Folder", out: str | None) -> None:
    """Write the test pictures of a folder with the blur that a test draws for them."""
    from deblurlab.data.preparing.drawn_pairs import write_test_pairs

    if out is None:
        raise ValueError("Name the folder to write to: out=drawn.")
    source = data.source("test")
    with progress_bar("drawing", unit="pictures", total=len(source.groups)) as bar:
        count = write_test_pairs(source, Path(out), progress=bar.update)
    whole = " data.whole_pictures=true" if data.whole_pictures else ""
    log.info(f"{counted(count, 'pair')} in {out}. Test with data=folder {assignment('data.root', out)}{whole}")


def _check(data: "VideoFrames | PublishedPairs | Folder", *, workers: int) -> None:
    """Look for what a training could not use, or would learn wrongly from; ValueError if there is anything."""
    from deblurlab.data import Folder, VideoFrames
    from deblurlab.data.preparing.check_frames import check_frames
    from deblurlab.data.preparing.check_pictures import check_pictures
    from deblurlab.data.preparing.check_report import tell
    from deblurlab.data.preparing.check_shards import check_shards

    unit = "pictures" if isinstance(data, Folder) else "frames"
    with progress_bar("checking", unit=unit) as bar:
        if isinstance(data, Folder):
            report = check_pictures(data, workers=workers, progress=bar.update)
        elif isinstance(data, VideoFrames) and data.index is not None:
            report = check_shards(data.storage, data.index, workers=workers, progress=bar.update)
        else:
            report = check_frames(Path(data.root), data.layout, workers=workers, progress=bar.update)
    tell(report, root=str(data.root))


def _average(data: "VideoFrames | PublishedPairs", cfg: DictConfig) -> None:
    """Average the frames of a video, or of all videos in a folder, to pairs. It continues an interrupted call."""
    from deblurlab.data.preparing.averaged_frames import write_pairs
    from deblurlab.data.preparing.video_plan import plan_pairs
    from deblurlab.data.preparing.video_survey import survey
    from deblurlab.restoring.videos import find_videos

    counts = [int(count) for count in cfg.frames]
    if not counts or any(count < 3 or count % 2 == 0 for count in counts):
        raise ValueError(f"frames={counts}: averages are of odd numbers of frames from 3, such as frames=7,9,11.")
    out = Path(str(data.root if cfg.out is None else cfg.out))
    root = Path(cfg.root)
    surveys = []
    for file in find_videos(root):
        with progress_bar(f"looking through {file.name}", unit="frames", leave=False) as bar:
            found = survey(file, counts, rate=cfg.fps, progress=bar.update)
        height, width = found.size
        moving = sum(map(len, found.scenes))
        log.info(
            f"{file}: {found.frames:,} frames of {width}x{height}, {found.rate:g} per second, in "
            f"{counted(len(found.scenes), 'scene')}; {counted(moving, 'frame pair')}"
            + (f"; left out, as nothing moves: {found.still} of {found.still + moving}" if found.still else "")
        )
        surveys.append(found)
    plan = plan_pairs(surveys, top=root if root.is_dir() else None)
    total = sum(len(pairs) for _, pairs in plan)
    with progress_bar("averaging", unit="pairs", total=total) as bar:
        made = write_pairs(plan, out, counts=counts, workers=cfg.workers, progress=bar.update)
    log.info(
        f"{counted(total, 'frame pair')}: {made['train']} to train, {made['val']} to validate, {made['test']} to test. "
        f"Train with data=video {assignment('data.root', out)}"
    )


def _write(data: "VideoFrames", cfg: DictConfig) -> None:
    """Write shards or TFRecord files. It continues an interrupted call."""
    from deblurlab.data.preparing.sequences import published_sequences
    from deblurlab.data.preparing.tfrecord import TFRECORD, record_sequences
    from deblurlab.data.preparing.write import PARQUET, prepare_sequences
    from deblurlab.data.shards.index import Settings
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
    log.info(f"{counted(len(sequences), 'sequence')} to {storage.address()}")
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
    use = f"Train with {assignment('data.root', storage.address())}" if form.indexed else "For TensorFlow"
    log.info(f"{counted(frames, 'frame pair')} in {counted(len(index.shards), 'file')}, {size / 2**20:,.1f} MiB. {use}")


if __name__ == "__main__":
    main()
