"""Finds the user's own pictures in a folder, pairs and sharp photographs, and holds out some of them."""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

from deblurlab import pictures
from deblurlab.checks.words import counted
from deblurlab.data.sources.picture_files import FilePair, Lacking, image_tree, without_partner
from deblurlab.data.splits import FEWEST_SEQUENCES, divided, hold_out_sequences
from deblurlab.pictures.folders import LeftOut

log = logging.getLogger(__name__)

# A pair, or a sharp photograph.
OwnPicture: TypeAlias = FilePair | Path

# The end of the errors about a folder without pictures, or with pairs of which one side is missing.
HELP = """\
Expected below data.root:
  blurred/... and sharp/...   pairs: the same relative path on both sides; or
  any pictures                sharp photographs, blurred on the fly; beside pairs, in photographs/
either directly or once in train/ and once in test/; evaluate needs test/ alone."""

# Words by which names, such as img_0_blur and img_0_gt, often tell the two sides of a pair.
_BLURRED = re.compile(r"[ _.-]?(?<![a-z])(blur|blurred|blurry|input|lq)(?![a-z])", re.IGNORECASE)
_SHARP = re.compile(r"[ _.-]?(?<![a-z])(sharp|gt|target|clean|hq)(?![a-z])", re.IGNORECASE)


class Found(NamedTuple):
    """The pictures of a folder.

    Attributes:
        pictures: The pairs and the photographs.
        problems: A line for each side of pairs that lacks pictures, and for each two files of the same name. Each line
            lacks its full stop.
    """

    pictures: list[OwnPicture]
    problems: list[str]


def find_pictures(folder: Path) -> Found:
    """The pairs of a folder and its photographs; without pairs, all pictures in it are photographs.

    Raises:
        ValueError: If there are no pictures. The message says what is expected.
    """
    if not folder.is_dir():
        raise ValueError(f"data.root: there is no folder {folder}. {HELP}")
    left_out = LeftOut(pictures.SUFFIXES)
    try:
        return _find(folder, left_out)
    finally:  # also if no pictures are left
        for line in left_out.lines():
            log.info(f"{folder}: {line}")


def _find(folder: Path, left_out: LeftOut) -> Found:
    if not ((folder / "blurred").is_dir() or (folder / "sharp").is_dir()):
        if found := image_tree(folder, left_out):
            warn_of_pairs_in(found, folder)
            return Found(list(found.values()), left_out.ambiguous)
        raise ValueError(f"{folder} holds no pictures. {HELP}")
    blurred, sharp = (image_tree(folder / side, left_out) for side in ("blurred", "sharp"))
    lacking = [_lacking(one, folder) for one in without_partner(blurred, sharp)]
    if alike := _alike(blurred.keys() - sharp.keys(), sharp.keys() - blurred.keys()):
        lacking[-1] += f"; if blurred/{alike[0]} and sharp/{alike[1]} are a pair, give both the same name"
    if not blurred and not sharp:
        raise ValueError(f"{folder / 'blurred'} and {folder / 'sharp'} hold no pictures. {HELP}")
    names = [name for name in sharp if name in blurred]
    pairs = [FilePair(str(Path(name).parent), Path(name).name, blurred[name], sharp[name]) for name in names]
    # pairs that lie in a folder beside further folders come before and after those; one sequence must be adjacent
    place = {sequence: number for number, sequence in enumerate(dict.fromkeys(pair.sequence for pair in pairs))}
    pairs.sort(key=lambda pair: place[pair.sequence])
    left_out.is_lost(folder / "photographs", folder)
    photographs = image_tree(folder / "photographs", left_out)
    return Found([*pairs, *photographs.values()], [*lacking, *left_out.ambiguous])


def _lacking(lacking: Lacking, folder: Path) -> str:
    """A line about the pictures that one side of the pairs lacks, and about a folder that has another name."""
    missing = f"{counted(len(lacking.names), 'picture')}, first {lacking.names[0]}"
    if (folder / lacking.side).exists():
        return f"{folder / lacking.side} lacks {missing}"
    known = {"blurred", "sharp", "photographs"}
    others = sorted(one.name for one in folder.iterdir() if one.is_dir() and one.name not in known)
    fix = f"; if the partners are in {' or '.join(others)}, rename it to {lacking.side}" if others else ""
    return f"there is no folder {folder / lacking.side} with the partners of {missing}{fix}"


def warn_of_pairs_in(found: Mapping[str, Path], folder: Path) -> None:
    """Warn if two folders in ``folder`` hold pictures of the same names, or names differ in words such as blur and gt.

    Pairs that are arranged so would be taken for sharp photographs, and the blurred ones for targets.
    """
    as_it_is = "as it is, every picture counts as a sharp photograph, and is blurred on the fly."
    names: defaultdict[str, set[str]] = defaultdict(set)
    for name in found:
        top, _, rest = name.partition("/")
        names[top].add(rest)
    first: dict[frozenset[str], str] = {}  # not each folder beside each other one: there may be thousands
    for other, own in names.items():
        one = first.setdefault(frozenset(own), other)
        if len(own) > 1 and one != other:
            log.warning(
                f"{folder}: the folders {one} and {other} hold pictures of the same names. If these are pairs, rename "
                f"the folders to blurred and sharp: {as_it_is}"
            )
            return
    if alike := _alike(filter(_BLURRED.search, found), filter(_SHARP.search, found)):
        log.warning(
            f"{folder}: {alike[0]} and {alike[1]} look like a pair. If they are, move the blurred pictures to blurred/ "
            f"and the sharp ones to sharp/, the two of a pair with the same name: {as_it_is}"
        )


def _alike(blurred: Iterable[str], sharp: Iterable[str]) -> tuple[str, str] | None:
    """Two names, one of each kind, that are equal without the words that tell the two sides of a pair."""
    shared = {_BLURRED.sub("", name): name for name in sorted(blurred, reverse=True)}  # the first of equal ones is kept
    alike = ((shared[rest], name) for name in sorted(sharp) if (rest := _SHARP.sub("", name)) in shared)
    return next(alike, None)


def hold_out_pictures(found: list[OwnPicture], title: str, purpose: str) -> tuple[list[OwnPicture], list[OwnPicture]]:
    """Choose which pictures to keep and which to hold out: an eighth of the pairs and of the photographs.

    Photographs are all different, so each counts as a sequence; of fewer than eight, the last one is held out.

    Args:
        found: Pairs and photographs.
        title: The name of the folder in messages.
        purpose: The use of the pictures that are held out, for messages.

    Returns:
        The pictures to keep and those to hold out.

    Raises:
        ValueError: If there are too few pictures to hold one out.
    """
    pairs = [picture for picture in found if isinstance(picture, FilePair)]
    photographs = [picture for picture in found if isinstance(picture, Path)]
    held_out = [
        *(hold_out_sequences([pair.sequence for pair in pairs], title, purpose, "folder") if pairs else ()),
        *_hold_out_photographs(photographs, title, purpose),
    ]
    return divided([*pairs, *photographs], held_out)


def _hold_out_photographs(photographs: list[Path], title: str, purpose: str) -> list[bool]:
    """Choose the photographs to hold out. No two resemble each other, so the last one is fair where there are few."""
    count = len(photographs)
    if count >= FEWEST_SEQUENCES:
        return [bool(held) for held in hold_out_sequences(list(map(str, photographs)), title, purpose)]
    if count == 1:
        raise ValueError(f"{title}: 1 photograph cannot spare one for {purpose}.")
    return [number == count - 1 for number in range(count)]
