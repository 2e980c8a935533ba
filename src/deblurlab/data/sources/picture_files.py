"""Finds picture files below a folder, and matches blurred with sharp ones."""

import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from deblurlab import pictures
from deblurlab.pictures.folders import LeftOut, files_below

Side = Literal["blurred", "sharp"]


class FilePair(NamedTuple):
    """The two files of a pair: the same moment, blurred and sharp.

    Attributes:
        sequence: The video sequence or folder that the pair belongs to.
        frame: The pair's name within its sequence.
        blurred, sharp: The files.
    """

    sequence: str
    frame: str
    blurred: Path
    sharp: Path

    @property
    def name(self) -> str:
        return f"{self.sequence}/{self.frame}"


def images_in(folder: Path, left_out: LeftOut) -> dict[str, Path]:
    """The picture files directly in ``folder``, sorted by their names without suffix, which are the keys.

    Args:
        folder: The folder.
        left_out: Collects the files that are not pictures, and those with the same name as another.
    """
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if left_out.takes(file, folder):
            _add(found, file.stem, file, left_out)
    return found


def image_tree(folder: Path, left_out: LeftOut) -> dict[str, Path]:
    """The picture files anywhere below ``folder``, sorted by their relative paths without suffix, which are the keys.

    There are none if the folder does not exist.

    Args:
        folder: The folder.
        left_out: Collects the files that are not pictures, and those with the same name as another.

    Raises:
        OSError: See :func:`~deblurlab.pictures.folders.files_below`.
    """
    found: dict[str, Path] = {}
    for file in sorted(files_below(folder)):
        if left_out.takes(file, folder):
            _add(found, file.relative_to(folder).with_suffix("").as_posix(), file, left_out)
    return dict(sorted(found.items()))


def same_name(name: str) -> str:
    """Normalise a name, for the comparison of the two sides of a pair.

    Depending on the system, an é is stored as one character or as an e and an accent; here it becomes one character.
    """
    return unicodedata.normalize("NFC", name)


def _add(found: dict[str, Path], name: str, file: Path, left_out: LeftOut) -> None:
    key = same_name(name)
    if key not in found:
        found[key] = file
        return
    difference = "the suffix" if found[key].stem == file.stem else "the way in which their accents are stored"
    left_out.ambiguous.append(
        f"{found[key]} and {file} have the same name but for {difference}: rename one of them or take it out"
    )


def size_of_pair(pair: FilePair) -> tuple[int, int]:
    """The height and width of both pictures of a pair; only the files' headers are read.

    Raises:
        ValueError: If the two sizes differ, or a file is not a picture; the message names the files.
    """
    sizes = [pictures.size(file, str(file)) for file in (pair.blurred, pair.sharp)]
    if sizes[0] != sizes[1]:
        (height, width), (sharp_height, sharp_width) = sizes
        raise ValueError(
            f"{pair.blurred} is {width}x{height}, {pair.sharp} is {sharp_width}x{sharp_height}: the two pictures of a "
            "pair show the same, pixel by pixel."
        )
    return sizes[0]


class Lacking(NamedTuple):
    """The files of one side that have no partner on the other.

    Attributes:
        side: The side on which the partners are missing.
        names: The names that are missing there, sorted.
        files: The other side's files of these names.
    """

    side: Side
    names: list[str]
    files: list[Path]


def without_partner(blurred: Mapping[str, Path], sharp: Mapping[str, Path]) -> Iterator[Lacking]:
    """Yield the missing partners for each side that lacks any.

    Args:
        blurred: The blurred files by name.
        sharp: The sharp files by name.
    """
    sides: tuple[tuple[Side, Mapping[str, Path], Mapping[str, Path]], ...]
    sides = (("sharp", blurred, sharp), ("blurred", sharp, blurred))
    for side, have, lack in sides:
        if names := sorted(have.keys() - lack.keys()):
            yield Lacking(side, names, [have[name] for name in names])
