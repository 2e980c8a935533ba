"""Compares the two sides of pairs, and finds what is wrong with most pairs of a sequence."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from deblurlab.data.pixels import Pixels
from deblurlab.data.preparing.alignment import REACH, Alignment, best_shift, detail, grey
from deblurlab.data.sources.picture_files import FilePair
from deblurlab.interfaces import Split

# A pair counts as misaligned if moving one side gains more than this many dB.
_GAIN_DB = 1.0
# Two pictures show the same scene if their correlation at the best shift is above this.
_ALIKE = 0.5


class Comparison(NamedTuple):
    """The two sides of a pair, compared.

    Attributes:
        pair: The files.
        size: Their height and width.
        blurred_has_more_detail: Whether the blurred side has more detail than the sharp one.
        alignment: How they lie on each other.
    """

    pair: FilePair
    size: tuple[int, int]
    blurred_has_more_detail: bool
    alignment: Alignment


def compare(pair: FilePair, blurred: Pixels, sharp: Pixels) -> Comparison:
    """Compare the pixels of a pair, (H, W, 3) each."""
    height, width = sharp.shape[:2]
    more_detail = detail(blurred) > detail(sharp)
    return Comparison(pair, (height, width), more_detail, best_shift(grey(blurred), grey(sharp)))


def problems_of_sequences(comparisons: Iterable[Comparison], split: Split, *, video: bool) -> Iterator[str]:
    """Yield a line per problem that most pairs of a sequence have. A single pair may lack detail or mislead.

    Args:
        comparisons: The pairs of a split.
        split: Its name.
        video: The pairs are frames of videos. Pairs of photographs may have several sizes, and noise that counts as
            detail on the blurred side. Their list or the user's folders say which side is blurred, so neither is a
            problem.
    """
    sequences = defaultdict(list)
    for comparison in comparisons:
        sequences[comparison.pair.sequence].append(comparison)
    for name, group in sequences.items():
        title = split if name == "." else f"{split} {name}"  # pairs that lie in no subfolder
        yield from _of_sequence(group, title, video=video)


def _of_sequence(group: list[Comparison], title: str, *, video: bool) -> Iterator[str]:
    sizes = {each.size for each in group}
    blurred, sharp = group[0].pair.blurred.parent, group[0].pair.sharp.parent
    if video and len(sizes) > 1:
        shown = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
        yield f"{title}: frames of different sizes ({shown})"
    if video and sum(each.blurred_has_more_detail for each in group) > len(group) / 2:
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
