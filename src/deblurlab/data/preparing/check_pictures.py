"""Looks for pictures of the user's own that a training would stop at, before it begins."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import NamedTuple, get_args

from deblurlab.checks.words import counted
from deblurlab.data.modules.folder import Folder
from deblurlab.data.pixels import Pixels
from deblurlab.data.preparing.check_report import Report
from deblurlab.data.preparing.compared_pairs import Comparison, compare, problems_of_sequences
from deblurlab.data.sources.own_pictures import HELP, OwnPicture
from deblurlab.data.sources.patch_grids import TOO_SMALL, covered_part, patch_grids
from deblurlab.data.sources.picture_files import FilePair, size_of_pair
from deblurlab.interfaces import Split

_REMEDY = (
    "Mend these pictures or take them out. data.on_error=skip leaves out those that cannot be read or are too small."
)

# The sides of a pair are compared in a square of this many pixels at most, for a camera's pictures would take GiBs.
_COMPARED = 1024


class _Looked(NamedTuple):
    """The result for one picture: its problems, and if it is a pair without problems, its two sides compared."""

    problems: list[str]
    comparison: Comparison | None


def check_pictures(data: Folder, *, workers: int, progress: Callable[[int], None]) -> Report:
    """Read every picture as a training does, and report those that it cannot use, and how many each split has.

    Args:
        data: The data module of the folder.
        workers: The number of threads that read.
        progress: Called with the number of pictures that were just read; a pair counts as one.
    """
    report = Report(checked="every picture is readable and holds a patch, and pairs are aligned", remedy="")
    remedies = set()
    if data.tests_only:
        report.missing.append(f"{data.root / 'train'}: without it, this folder is for evaluate alone")
    for split in ("test",) if data.tests_only else get_args(Split):
        try:
            if of_names := data.problems(split):
                remedies.add(HELP)
                report.problems += [problem for problem in of_names if problem not in report.problems]
            found = data.unambiguous(split)
        except ValueError as error:
            problem = str(error).removesuffix(f". {HELP}")
            if problem != str(error):
                remedies.add(HELP)
            if problem not in report.problems:  # train and val, or all three, are divided from the same pictures
                report.problems.append(problem)
            continue
        looked = []
        with ThreadPoolExecutor(workers) as pool:
            for one in pool.map(partial(_look_at, patch=data.patch_of(split)), found):
                looked.append(one)
                progress(1)
        unusable = sum(bool(one.problems) for one in looked)
        report.summary.append(f"{split}: {_counts(found)}" + (f", {unusable:,} of them unusable" if unusable else ""))
        comparisons = [one.comparison for one in looked if one.comparison is not None]
        problems = [problem for one in looked for problem in one.problems]
        problems += problems_of_sequences(comparisons, split, video=False)
        if problems:
            remedies.add(_REMEDY)
        report.problems.extend(problems)
    return replace(report, remedy="\n".join(sorted(remedies)))


def _counts(found: list[OwnPicture]) -> str:
    pairs = sum(isinstance(picture, FilePair) for picture in found)
    kinds = {"pair": pairs, "photograph": len(found) - pairs}
    return " and ".join(counted(number, kind) for kind, number in kinds.items() if number) or "no usable picture"


def _look_at(picture: OwnPicture, patch: tuple[int, int]) -> _Looked:
    sides: list[Pixels] = []
    problems = []
    for file in (picture.blurred, picture.sharp) if isinstance(picture, FilePair) else (picture,):
        try:
            sides.append(covered_part(file, patch_grids([file], patch)[0], patch))
        except ValueError as error:
            words = str(error)
            for fix in TOO_SMALL:
                words = words.removesuffix(fix)
            problems.append(words)
    if problems or not isinstance(picture, FilePair):
        return _Looked(problems, None)
    try:
        size_of_pair(picture)
    except ValueError as error:
        return _Looked([str(error)], None)
    return _Looked([], compare(picture, *map(_middle, sides)))


def _middle(pixels: Pixels) -> Pixels:
    """The square in the middle of a picture of which at most ``_COMPARED`` rows and columns are left."""
    top, left = (max(0, length - _COMPARED) // 2 for length in pixels.shape[:2])
    return pixels[top : top + _COMPARED, left : left + _COMPARED]
