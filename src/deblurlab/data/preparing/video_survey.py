"""Surveys a slow-motion video: its frame rate, its scenes, and the stretches in which something moves."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deblurlab.checks.words import counted
from deblurlab.data.arrays import Floats
from deblurlab.pictures import films

if TYPE_CHECKING:
    from av import VideoFrame

# The lowest frame rate. At lower ones, the average of frames shows a moving edge several times instead of a blur.
SLOWEST = 100.0
# Pictures are compared by the means of blocks of this side in pixels, in which noise averages out.
_BLOCK = 16
# Two neighbouring frames belong to one scene if the correlation of their block means is above this.
_ONE_SCENE = 0.7
# Something moves if the means of more than this share of the blocks change by more than this many grey levels.
_MOVED_SHARE, _MOVED_LEVELS = 0.01, 2.0
# FFmpeg's numbers for the transfer functions of high dynamic range: PQ and HLG.
_HIGH_DYNAMIC_RANGE = (16, 18)
# The metadata key in which Android stores the frame rate at which a slow-motion video was filmed.
_FILMED_AT = "com.android.capture.fps"


class Stretch(NamedTuple):
    """Consecutive frames that are averaged to one blurred frame.

    Attributes:
        first: The number of the first frame in the video, from 0.
        frames: The number of frames.
    """

    first: int
    frames: int


class Survey(NamedTuple):
    """The results of :func:`survey`.

    Attributes:
        file: The video.
        rate: The frame rate, in frames per second.
        size: Height and width of the upright frames.
        frames: The number of frames.
        scenes: The stretches of each scene in which something moves, in order. A scene may have none.
        still: The number of stretches that were left out because nothing moves in them.
    """

    file: Path
    rate: float
    size: tuple[int, int]
    frames: int
    scenes: list[list[Stretch]]
    still: int


def survey(
    file: Path, counts: Sequence[int], *, rate: float | None = None, progress: Callable[[int], None] = lambda _: None
) -> Survey:
    """Read a video once and find its scenes. Memory holds only reduced pictures of one stretch.

    A scene ends where the correlation of the block means of neighbouring frames is 0.7 or less. Each scene is divided
    into stretches whose lengths are those in ``counts`` in turn; the remaining frames at its end are not used.

    Args:
        file: The video.
        counts: The numbers of frames that are averaged.
        rate: The frame rate at which it was filmed, if the metadata of the file are wrong.
        progress: Called with the number of frames that were just read.

    Raises:
        ValueError: If the file cannot be read, is too slow, too short, of high dynamic range, or nothing moves in it.
            The message says what to do.
    """
    rate = _require_rate(file, rate)
    first = films.first_frame(file)
    if int(first.color_trc) in _HIGH_DYNAMIC_RANGE:
        raise ValueError(
            f"{file} is of high dynamic range (HDR), whose brightness is not sRGB's. Film with HDR switched off, or "
            "convert it to standard dynamic range."
        )
    size = films.upright(first).shape[:2]
    scenes: list[list[Stretch]] = [[]]
    frames = still = 0
    wanted = cycle(counts)
    count = next(wanted)
    stretch: list[Floats] = []
    before: Floats | None = None
    for means in _block_means(file):
        if before is not None and likeness(before, means) <= _ONE_SCENE:
            scenes.append([])
            stretch = []
        before = means
        stretch.append(means)
        frames += 1
        progress(1)
        if len(stretch) == count:
            if any(moved(stretch[0], other) for other in stretch[1:]):
                scenes[-1].append(Stretch(frames - count, count))
            else:
                still += 1
            stretch, count = [], next(wanted)
    found = Survey(file, rate, (size[0], size[1]), frames, scenes, still)
    _require_pairs(found, counts)
    return found


def likeness(one: Floats, other: Floats) -> float:
    """The correlation of two pictures, from -1 to 1; 1 if neither has any contrast, about 0 if only one has none."""
    one, other = one - one.mean(), other - other.mean()
    level = 1.0  # added to the variances, in squared grey levels: contrast below it does not count
    product = float((one * other).mean())
    return (product + level) / float(np.sqrt((np.square(one).mean() + level) * (np.square(other).mean() + level)))


def moved(one: Floats, other: Floats) -> bool:
    """Whether something moves between two pictures, given by their block means. Flickering light is not motion."""
    change = other - one
    change = np.abs(change - np.median(change))
    return float((change > _MOVED_LEVELS).mean()) > _MOVED_SHARE


def _block_means(file: Path) -> Iterator[Floats]:
    """The means of the blocks of each frame, in grey levels."""
    for frame in films.frames(file):
        yield _means(frame)


def _means(frame: "VideoFrame") -> Floats:
    width, height = max(1, frame.width // _BLOCK), max(1, frame.height // _BLOCK)
    small = frame.reformat(width=width, height=height, format="gray", interpolation="AREA")
    return small.to_ndarray().astype(np.float64)


def _require_rate(file: Path, rate: float | None) -> float:
    with films.opened(file) as (reader, stream):
        stated = reader.metadata.get(_FILMED_AT) or stream.average_rate or stream.guessed_rate or 0
    found = float(stated) if rate is None else rate
    if found < SLOWEST:
        raise ValueError(
            f"{file} has {found:g} frames per second: their average shows a moving edge several times, not blurred. "
            "Film at 120 or 240 frames per second (slow motion). If it was filmed so, and is played slowly: fps=240."
        )
    return found


def _require_pairs(found: Survey, counts: Sequence[int]) -> None:
    if any(found.scenes):
        return
    if found.still:
        raise ValueError(
            f"{found.file}: nothing moves in its {found.frames} frames, so their average is as sharp as they are. "
            "Move the camera, or film what moves."
        )
    raise ValueError(
        f"{found.file} has {counted(found.frames, 'frame')} in {counted(len(found.scenes), 'scene')}, too few to "
        f"average {counts[0]} of one scene: film longer, or lower frames={list(counts)}."
    )
