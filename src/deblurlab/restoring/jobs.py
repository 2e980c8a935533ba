"""Which files a call of ``restore`` reads and writes, and how one of them is restored."""

import itertools
import logging
from collections.abc import Callable
from glob import glob
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from deblurlab.files.whole_file import whole_file
from deblurlab.restoring import photos, video
from deblurlab.restoring.photos import Samples

log = logging.getLogger(__name__)

SUFFIXES = photos.SUFFIXES | video.SUFFIXES


class Job(NamedTuple):
    """A picture or a video to restore, and the file to write."""

    source: Path
    target: Path

    @property
    def comparison(self) -> Path:
        """The picture that shows before and after side by side."""
        return self.target.with_name(f"{self.target.name}.compare.jpg")


def find_jobs(given: str, output: Path) -> list[Job]:
    """A job for each file that a user names.

    Args:
        given: A file, a folder, whose subfolders are searched too, or a pattern such as ``holiday/*.jpg``.
        output: The folder to write to, which gets the subfolders too; if ``given`` is a file, also a file.

    Raises:
        ValueError: If no file is found, or ``output`` is a file of another format.
    """
    top = Path(given)
    if top.is_file():
        if output.suffix.lower() not in SUFFIXES:
            return [Job(top, output / top.name)]
        if _format(output) != _format(top):
            raise ValueError(f"output={output}: {top} keeps its format, so it must end in {top.suffix}.")
        return [Job(top, output)]
    if top.is_dir():
        found = sorted(file for file in top.rglob("*") if file.is_file())
    else:
        found = sorted(Path(name) for name in glob(given, recursive=True) if Path(name).is_file())  # noqa: PTH207
        top = Path(*itertools.takewhile(lambda part: not any(sign in part for sign in "*?["), top.parts[:-1]))
    if top.resolve() in output.resolve().parents:  # an earlier call may have left restored files there
        found = [file for file in found if output.resolve() not in file.resolve().parents]
    files = [file for file in found if file.suffix.lower() in SUFFIXES]
    if others := [file.name for file in found if file.suffix.lower() not in SUFFIXES]:
        named = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
        log.info(f"left out, as they are no pictures or videos that are supported: {named}")
    if not files:
        raise ValueError(f"input={given} names no picture or video. Supported: {' '.join(sorted(SUFFIXES))}")
    return [Job(file, output / file.relative_to(top)) for file in files]


def restore_file(job: Job, restored: Callable[[Samples], Samples], *, quality: int | None, compare: bool) -> None:
    """Restore one picture or video. Files that exist are replaced.

    Args:
        job: What to read and to write.
        restored: Restores a picture or a frame.
        quality: Quality of JPEG and WebP, 1 to 100; None keeps that of a JPEG.
        compare: Also write the comparison, of pictures only. It is written before the picture, so that there is none
            to do where the picture is.

    Raises:
        ValueError: If the source is damaged or not supported.
        OSError: If a file cannot be read or written.
    """
    if job.source.suffix.lower() in video.SUFFIXES:
        video.restore(job.source, job.target, restored)
        return
    before = photos.read(job.source)
    after = before.with_pixels(restored(before.pixels))
    if compare:
        sides = np.hstack([before.upright(), after.upright()])
        with whole_file(job.comparison) as partial:
            Image.fromarray(sides).save(partial, "JPEG", quality=95)
    photos.write(after, job.target, quality=quality)


def _format(file: Path) -> str:
    """A file's suffix in small letters, the same for all suffixes of one format."""
    suffix = file.suffix.lower()
    return {".jpeg": ".jpg", ".tiff": ".tif"}.get(suffix, suffix)
