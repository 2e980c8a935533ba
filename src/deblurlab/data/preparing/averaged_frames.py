"""Averages frames of slow-motion video to blurred and sharp pairs, as GOPRO_Large was made (Nah et al., CVPR 2017)."""

import json
import logging
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PIL import Image
from torch import Tensor

from deblurlab.data.blur.light import to_light, to_pixels
from deblurlab.data.pixels import Pixels
from deblurlab.data.preparing.video_plan import PlannedPair
from deblurlab.data.preparing.video_survey import Survey
from deblurlab.data.sources.pair_source import PixelPair
from deblurlab.files.whole_file import whole_file, write_whole
from deblurlab.interfaces import Split
from deblurlab.pictures import films

log = logging.getLogger(__name__)

_NOTE = "made_of.json"


def averaged(file: Path, pairs: Sequence[PlannedPair]) -> Iterator[tuple[PlannedPair, PixelPair]]:
    """Make the pairs of a video: the average of consecutive frames in linear light, and the frame in their middle.

    A sensor adds up the light that falls on it while its shutter is open. So sRGB is decoded, averaged and encoded
    again. Memory holds a few frames, however long the video is.

    Args:
        file: The video.
        pairs: The pairs, in the order of their frames.

    Raises:
        ValueError: If the file cannot be read; the message names it.
    """
    waiting = deque(pairs)
    light: Tensor | None = None
    sharp: Pixels | None = None
    for number, frame in enumerate(films.frames(file)):
        if not waiting:
            return
        first, count = waiting[0].stretch
        if number < first:
            continue
        pixels = films.upright(frame)
        light = to_light(pixels) if light is None else light + to_light(pixels)
        if number == first + count // 2:
            sharp = pixels
        if number == first + count - 1:
            assert sharp is not None
            yield waiting.popleft(), PixelPair(to_pixels(light / count), sharp)
            light, sharp = None, None


def write_pairs(
    plan: Sequence[tuple[Survey, Sequence[PlannedPair]]],
    out: Path,
    *,
    counts: Sequence[int],
    workers: int,
    progress: Callable[[int], None],
) -> Counter[Split]:
    """Write the pairs as PNG files, and give the folder its name when all of them are written.

    Until then the folder is ``.NAME.unfinished``. After an interruption, a call for the same videos and counts
    continues there; a call for others starts again.

    Args:
        plan: The pairs of each video.
        out: The folder to write. It must not exist or must be empty, unless it already holds these pairs.
        counts: The numbers of frames that are averaged, for the note in the folder.
        workers: The number of threads that write.
        progress: Called with the number of pairs that were just done.

    Returns:
        The number of pairs of each split.

    Raises:
        ValueError: If the folder holds something else, or a video cannot be read.
    """
    made_of = json.dumps({"videos": [_fingerprint(survey) for survey, _ in plan], "frames": list(counts)}, indent=1)
    found = Counter(pair.split for _, pairs in plan for pair in pairs)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        if _read(out / _NOTE) != made_of:
            raise ValueError(f"{out} holds something else already: name another folder, out=... .")
        log.info(f"{out} holds these pairs already")
        progress(found.total())
        return found
    unfinished = out.with_name(f".{out.name}.unfinished")
    if unfinished.exists() and _read(unfinished / _NOTE) != made_of:
        shutil.rmtree(unfinished)
    write_whole(unfinished / _NOTE, made_of)
    with ThreadPoolExecutor(workers, thread_name_prefix="pairs") as pool:
        try:
            _write_all(plan, unfinished, pool, ahead=2 * workers, progress=progress)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if out.exists():
        out.rmdir()
    unfinished.rename(out)
    return found


def _write_all(
    plan: Sequence[tuple[Survey, Sequence[PlannedPair]]],
    folder: Path,
    pool: ThreadPoolExecutor,
    *,
    ahead: int,
    progress: Callable[[int], None],
) -> None:
    """Write the missing pairs. At most ``ahead`` pairs wait for a thread, so that memory holds few."""
    waiting: deque[Future[None]] = deque()
    for survey, pairs in plan:
        lacking = [pair for pair in pairs if not all(file.exists() for file in pair.files(folder))]
        progress(len(pairs) - len(lacking))
        for pair, pixels in averaged(survey.file, lacking):
            for file, side in zip(pair.files(folder), pixels, strict=True):
                waiting.append(pool.submit(_save, side, file))
            while len(waiting) > ahead:
                waiting.popleft().result()
            progress(1)
    for future in waiting:
        future.result()


def _save(pixels: Pixels, file: Path) -> None:
    with whole_file(file) as partial:
        Image.fromarray(pixels).save(partial, "PNG")


def _fingerprint(survey: Survey) -> list[str | int]:
    """Values that change when a video does: its name, size and time."""
    status = survey.file.stat()
    return [survey.file.name, status.st_size, status.st_mtime_ns]


def _read(note: Path) -> str | None:
    return note.read_text(encoding="utf-8") if note.is_file() else None
