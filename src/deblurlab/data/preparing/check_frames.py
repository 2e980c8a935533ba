"""Looks for common problems of downloaded frames before a training run meets them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deblurlab import pictures
from deblurlab.checks.words import counted, first_of
from deblurlab.data.pixels import decode_file
from deblurlab.data.preparing.check_report import Report
from deblurlab.data.preparing.compared_pairs import Comparison, compare, problems_of_sequences
from deblurlab.data.sources.layouts import PublishedLayout, SequenceFiles
from deblurlab.data.sources.picture_files import FilePair, without_partner
from deblurlab.pictures.folders import LeftOut


def check_frames(root: Path, layout: PublishedLayout, *, workers: int, progress: Callable[[int], None]) -> Report:
    """Read every pair and report what is missing, broken, of another size, swapped or shifted.

    Args:
        root: The folder of the data set.
        layout: The folders or lists of the data set.
        workers: The number of threads that read.
        progress: Called with the number of frames that were just read.
    """
    report = Report(
        checked="every pair is readable, of one size and aligned",
        remedy=layout.help(),
        offer=f"{layout.title} is offered on {layout.page}",
    )
    for split, published in layout.counts().items():
        left_out = LeftOut(pictures.SUFFIXES)
        try:
            found = layout.sequences(root, split, left_out)
        except ValueError as error:
            problem = str(error).removesuffix(f". {layout.help()}")
            if problem not in report.problems:  # a missing root would be reported for each split
                report.problems.append(problem)
            continue
        report.problems.extend(left_out.ambiguous)
        pairs = _pairs(found, split, report)
        looked: list[Comparison | str] = []
        with ThreadPoolExecutor(workers) as pool:
            for one in pool.map(_look_at, pairs):
                looked.append(one)
                progress(1)
        _count(pairs, published, split, report)
        report.summary.extend(f"{split}: {line}" for line in left_out.lines())
        report.problems.extend(one for one in looked if isinstance(one, str))
        comparisons = [one for one in looked if isinstance(one, Comparison)]
        report.problems.extend(problems_of_sequences(comparisons, split, video=layout.video))
    return report


def _pairs(sequences: Sequence[SequenceFiles], split: str, report: Report) -> list[FilePair]:
    """The pairs of a split. Files without a partner and gaps in the numbers of frames are reported."""
    pairs = []
    for sequence in sequences:
        both, alone = _partners(sequence)
        pairs += both
        report.problems.extend(alone)
        report.missing.extend(_gaps([pair.frame for pair in both], f"{split} {sequence.name}: frames"))
    return pairs


def _count(pairs: Sequence[FilePair], published: int | None, split: str, report: Report) -> None:
    """Report how many sequences and pairs a split has, and how many are missing."""
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


def _gaps(names: list[str], title: str) -> list[str]:
    """A line about the gaps in numbered ``names``, between the first and the last; no line without gaps."""
    if not names or not all(name.isdecimal() for name in names):
        return []
    numbers = {int(name) for name in names}
    lacking = [f"{number:0{len(names[0])}}" for number in range(min(numbers), max(numbers)) if number not in numbers]
    return [f"{title} {first_of(lacking, 5)}"] if lacking else []


def _partners(sequence: SequenceFiles) -> tuple[list[FilePair], list[str]]:
    """The pairs of a sequence, and a line per side that lacks frames."""
    blurred, sharp = sequence.files["blurred"], sequence.files["sharp"]
    problems = []
    for lacking in without_partner(blurred, sharp):
        missing = f"{counted(len(lacking.names), 'frame')}: {first_of(lacking.names, 5)}"
        problems.append(f"{sequence.places[lacking.side]} lacks {missing}")
    if not blurred and not sharp:
        problems.append(f"{sequence.places['blurred']} and {sequence.places['sharp']} hold no pictures")
    both = sorted(blurred.keys() & sharp.keys())
    return [FilePair(sequence.name, frame, blurred[frame], sharp[frame]) for frame in both], problems


def _look_at(pair: FilePair) -> Comparison | str:
    """The two sides of a pair, compared, or what is wrong with one of them."""
    try:
        blurred, sharp = decode_file(pair.blurred), decode_file(pair.sharp)
    except ValueError as error:
        return str(error)
    if blurred.shape != sharp.shape:
        sizes = " against ".join(f"{side.shape[1]}x{side.shape[0]}" for side in (blurred, sharp))
        return f"{pair.blurred} and {pair.sharp} differ in size: {sizes}"
    return compare(pair, blurred, sharp)
