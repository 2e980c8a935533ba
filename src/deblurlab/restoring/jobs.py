"""The files that a call of ``restore`` reads and writes."""

import itertools
import logging
import os
from glob import glob
from pathlib import Path
from typing import NamedTuple

from deblurlab import pictures
from deblurlab.files.whole_file import whole_file
from deblurlab.pictures import Picture
from deblurlab.pictures.folders import LeftOut, files_below
from deblurlab.pictures.formats import FORMATS
from deblurlab.pictures.regular_file import is_lost_link, require_file
from deblurlab.restoring import photos, videos
from deblurlab.restoring.blur_estimate import hardly_blurred
from deblurlab.restoring.comparison import side_by_side
from deblurlab.restoring.photos import Photo

log = logging.getLogger(__name__)

# Pixels: the side of the smallest images that the shipped networks are trained on. In smaller ones a network sees too
# little of a picture, and `photographs` changes the brightness of some.
_LEAST_SIDE = 32

_COMPARISON = ".compare.jpg"
_LONGEST_NAME = 255  # bytes, on the usual file systems
SUFFIXES = pictures.SUFFIXES | videos.SUFFIXES


class Job(NamedTuple):
    """A picture or a video to restore, and the file to write."""

    source: Path
    target: Path

    @property
    def comparison(self) -> Path:
        """The file that shows the picture before and after, side by side."""
        name = os.fsencode(self.target.name)
        if len(name) + len(_COMPARISON) > _LONGEST_NAME:  # keep the end of the name, by which names usually differ
            name = name[len(name) + len(_COMPARISON) - _LONGEST_NAME :].decode(errors="ignore").encode()
        return self.target.with_name(f"{os.fsdecode(name)}{_COMPARISON}")


def find_jobs(given: str, output: Path) -> list[Job]:
    """Make a job for each file that a user names.

    Args:
        given: A file, a folder, whose subfolders are searched too, or a pattern such as ``holiday/*.jpg``.
        output: The folder to write to, which gets the subfolders too; if ``given`` is a file, also a file.

    Raises:
        ValueError: If no file is found, or ``output`` is a file of another format.
    """
    top = Path(given)
    if is_lost_link(top):
        require_file(top)
    if not top.exists() and not any(sign in given for sign in "*?["):
        advice = " Addresses are not read: download the file first." if "://" in given else ""
        raise ValueError(f"input={given}: there is no such file or folder.{advice}")
    if top.is_file():
        if output.suffix.lower() not in SUFFIXES:
            return [Job(top, output / top.name)]
        if _format(output) != _format(top):
            raise ValueError(f"output={output}: {top} keeps its format, so it must end in {top.suffix}.")
        return [Job(top, output)]
    if top.is_dir():
        found = sorted(files_below(top))
    else:
        found = sorted(Path(name) for name in glob(given, recursive=True) if not Path(name).is_dir())  # noqa: PTH207
        top = Path(*itertools.takewhile(lambda part: not any(sign in part for sign in "*?["), top.parts[:-1]))
    below, written = top.resolve(), output.resolve()
    if written != below and written not in below.parents:  # an earlier call may have left restored files there
        found = [file for file in found if not file.parent.resolve().is_relative_to(written)]
    left_out = LeftOut(SUFFIXES)
    files = [file for file in found if left_out.takes(file, top)]
    for line in left_out.lines():
        log.info(line)
    if not files:
        raise ValueError(f"input={given} names no picture or video. Supported: {' '.join(sorted(SUFFIXES))}")
    return [Job(file, output / file.relative_to(top)) for file in files]


def is_video(job: Job) -> bool:
    """Whether a job's file is a video."""
    return job.source.suffix.lower() in videos.SUFFIXES


class Remark(NamedTuple):
    """A remark about a restored file.

    Attributes:
        words: The text; "" if there is none.
        hardly_blurred: Whether it is a picture that had hardly any blur.
    """

    words: str = ""
    hardly_blurred: bool = False


def write_photo(job: Job, before: Photo, after: Photo, *, quality: int | None, compare: bool) -> Remark:
    """Write one restored picture. Files that exist are replaced.

    Args:
        job: What to write.
        before: The picture as it was read.
        after: The restored picture.
        quality: Quality of JPEG and WebP, 1 to 100; None keeps that of a JPEG.
        compare: Also write the comparison. It is written before the picture, so that a picture that exists has its
            comparison.

    Raises:
        OSError: If a file cannot be read or written.
    """
    if (converted := before.picture.converted) is not None:
        log.info(f"{job.source}: {converted}")
    if compare:
        _write_comparison(before.picture, after.picture, job.comparison)
    photos.write(after, job.target, quality=quality)
    pixels = before.picture.pixels
    if min(pixels.shape[:2]) < _LEAST_SIDE:
        return Remark(f"a side has less than {_LEAST_SIDE} pixels: compare the brightness with that of the original")
    sharp = hardly_blurred(pixels)
    return Remark("there was hardly any blur in it: you may prefer the original" if sharp else "", hardly_blurred=sharp)


def _write_comparison(before: Picture, after: Picture, file: Path) -> None:
    """Write two pictures of equal size side by side, upright."""
    sheet = side_by_side(before.upright(), after.upright())
    with whole_file(file) as partial:
        sheet.save(partial, "JPEG", quality=95, icc_profile=before.rgb_profile)


def _format(file: Path) -> str:
    """The format of a file according to its suffix; several suffixes may stand for one format."""
    suffix = file.suffix.lower()
    return next((name for name, suffixes in FORMATS.items() if suffix in suffixes), suffix)
