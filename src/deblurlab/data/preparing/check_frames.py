"""Looks for common problems of downloaded frames before a training run meets them."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from deblurlab import pictures
from deblurlab.checks.words import counted
from deblurlab.data.pixels import decode_file
from deblurlab.data.preparing.alignment import REACH, Alignment, best_shift, detail, grey
from deblurlab.data.sources.layouts import PublishedLayout, SequenceFiles
from deblurlab.data.sources.listed_layouts import ListedLayout
from deblurlab.data.sources.picture_files import FilePair, without_partner
from deblurlab.interfaces import Split
from deblurlab.pictures.folders import LeftOut

# A pair counts as misaligned if moving one side gains more than this many dB.
_GAIN_DB = 1.0
# Two pictures show the same scene if their correlation at the best shift is above this.
_ALIKE = 0.5


class Report(NamedTuple):
    """The results of :func:`check_frames`.

    Attributes:
        summary: A line per split.
        problems: A line per problem.
        missing: Lines about frames of the published data set that are missing, as far as this is known.
    """

    summary: list[str]
    problems: list[str]
    missing: list[str]


class _Comparison(NamedTuple):
    """The result for one pair: a problem, or a comparison of its two sides."""

    pair: FilePair
    problem: str | None
    size: tuple[int, int] = (0, 0)
    blurred_has_more_detail: bool = False
    alignment: Alignment = Alignment((0, 0), 0.0, 1.0)


def check_frames(root: Path, layout: PublishedLayout, *, workers: int, progress: Callable[[int], None]) -> Report:
    """Reads every pair and reports what is missing, broken, of another size, swapped or shifted.

    Args:
        root: The folder of the data set.
        layout: The folders or lists of the data set.
        workers: The number of threads that read.
        progress: Called with the number of frames that were just read.
    """
    report = Report([], [], [])
    for split, published in layout.counts().items():
        left_out = LeftOut(pictures.SUFFIXES)
        try:
            found = layout.sequences(root, split, left_out)
        except ValueError as error:
            problem = str(error).removesuffix(f". {layout.help()}")
            if problem not in report.problems:  # a missing root would be reported for each split
                report.problems.append(problem)
            continue
        pairs = []
        for sequence in found:
            both, alone = _partners(sequence)
            pairs += both
            report.problems.extend(alone)
            report.missing.extend(_gaps([pair.frame for pair in both], f"{split} {sequence.name}: frames"))
        comparisons = []
        with ThreadPoolExecutor(workers) as pool:
            for comparison in pool.map(_compare, pairs):
                comparisons.append(comparison)
                progress(1)
        sequences = {pair.sequence for pair in pairs}
        if not pairs:
            report.problems.append(f"{split}: there is no frame pair")
        report.missing.extend(_gaps(sorted(sequences), f"{split}: sequences"))
        if published is not None and len(pairs) < published:
            report.missing.append(f"{split}: {published - len(pairs):,} of the {published:,} published frame pairs")
        of_all = "" if published is None else f" of the {published:,} published"
        report.summary.append(
            f"{split}: {counted(len(sequences), 'sequence')}, {counted(len(pairs), 'frame pair')}{of_all}"
        )
        report.summary.extend(f"{split}: {line}" for line in left_out.lines())
        report.problems.extend(comparison.problem for comparison in comparisons if comparison.problem)
        sound = [each for each in comparisons if not each.problem]
        report.problems.extend(_of_sequences(sound, split, listed=isinstance(layout, ListedLayout)))
    return report


def _gaps(names: list[str], title: str) -> list[str]:
    """A line about the gaps in numbered ``names``, between the first and the last; no line without gaps."""
    if not names or not all(name.isdecimal() for name in names):
        return []
    numbers = {int(name) for name in names}
    lacking = [f"{number:0{len(names[0])}}" for number in range(min(numbers), max(numbers)) if number not in numbers]
    return [f"{title} {', '.join(lacking[:5])}{', ...' if len(lacking) > 5 else ''}"] if lacking else []


def _partners(sequence: SequenceFiles) -> tuple[list[FilePair], list[str]]:
    """The pairs of a sequence, and a line per side that lacks frames."""
    blurred, sharp = sequence.files["blurred"], sequence.files["sharp"]
    problems = []
    for lacking in without_partner(blurred, sharp):
        shown = ", ".join(lacking.names[:5]) + (", ..." if len(lacking.names) > 5 else "")
        problems.append(f"{sequence.places[lacking.side]} lacks {counted(len(lacking.names), 'frame')}: {shown}")
    if not blurred and not sharp:
        problems.append(f"{sequence.places['blurred']} and {sequence.places['sharp']} hold no pictures")
    both = sorted(blurred.keys() & sharp.keys())
    return [FilePair(sequence.name, frame, blurred[frame], sharp[frame]) for frame in both], problems


def _compare(pair: FilePair) -> _Comparison:
    try:
        blurred, sharp = decode_file(pair.blurred), decode_file(pair.sharp)
    except ValueError as error:
        return _Comparison(pair, str(error))
    if blurred.shape != sharp.shape:
        sizes = " against ".join(f"{side.shape[1]}x{side.shape[0]}" for side in (blurred, sharp))
        return _Comparison(pair, f"{pair.blurred} and {pair.sharp} differ in size: {sizes}")
    more_detail = detail(blurred) > detail(sharp)
    return _Comparison(pair, None, sharp.shape[:2], more_detail, best_shift(grey(blurred), grey(sharp)))


def _of_sequences(comparisons: list[_Comparison], split: Split, *, listed: bool) -> Iterator[str]:
    """Yield a line per problem that most frames of a sequence have. A single frame may lack detail or mislead.

    Listed pairs (``listed``) may have several sizes, and noise that counts as detail on the blurred side. Their list
    says which side is blurred, so neither is a problem.
    """
    sequences = defaultdict(list)
    for comparison in comparisons:
        sequences[comparison.pair.sequence].append(comparison)
    for name, group in sequences.items():
        yield from _of_sequence(group, f"{split} {name}", listed=listed)


def _of_sequence(group: list[_Comparison], title: str, *, listed: bool) -> Iterator[str]:
    sizes = {each.size for each in group}
    blurred, sharp = group[0].pair.blurred.parent, group[0].pair.sharp.parent
    if not listed and len(sizes) > 1:
        shown = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
        yield f"{title}: frames of different sizes ({shown})"
    if not listed and sum(each.blurred_has_more_detail for each in group) > len(group) / 2:
        yield f"{title}: the blurred frames have more detail than the sharp ones: {blurred} and {sharp} are swapped"
    if sum(each.alignment.likeness < _ALIKE for each in group) > len(group) / 2:
        yield f"{title}: blurred and sharp frames show different scenes: {blurred} and {sharp}"
        return
    shifted = [each.alignment for each in group if each.alignment.shift != (0, 0) and each.alignment.gain > _GAIN_DB]
    if len(shifted) > len(group) / 2:
        median = sorted(shifted, key=lambda alignment: alignment.gain)[len(shifted) // 2]
        if REACH in map(abs, median.shift):
            yield f"{title}: blurred and sharp frames lie {REACH} or more pixels apart: other moments?"
            return
        yield (
            f"{title}: the blurred frames lie {median.shift[0]} rows and {median.shift[1]} columns off the "
            f"sharp ones, which costs {median.gain:.1f} dB"
        )
