"""Picture files below a folder, and which blurred file belongs to which sharp one."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}

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


def images_in(folder: Path) -> dict[str, Path]:
    """The picture files directly in ``folder``, sorted by their names without suffix, which are the keys.

    Raises:
        ValueError: if two files differ in their suffix alone.
    """
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in SUFFIXES:
            _add(found, file.stem, file)
    return found


def image_tree(folder: Path) -> dict[str, Path]:
    """The picture files anywhere below ``folder``, sorted by their relative paths without suffix, which are the keys.

    Links to folders are followed, but no folder is entered twice, so that links in a circle end.

    Raises:
        ValueError: if two files differ in their suffix alone.
    """
    found: dict[str, Path] = {}
    entered = set()
    for path, folders, files in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(path)) in entered:
            folders.clear()
            continue
        entered.add(real)
        for file in (Path(path) / name for name in files if Path(name).suffix.lower() in SUFFIXES):
            _add(found, file.relative_to(folder).with_suffix("").as_posix(), file)
    return dict(sorted(found.items()))


def _add(found: dict[str, Path], name: str, file: Path) -> None:
    if name in found:
        raise ValueError(f"{found[name]} and {file} have the same name but for the suffix: which one is it?")
    found[name] = file


class Lacking(NamedTuple):
    """Files that have no partner.

    Attributes:
        side: The side that lacks the partners.
        names: The names it lacks, sorted.
        files: The other side's files of these names.
    """

    side: Side
    names: list[str]
    files: list[Path]


def without_partner(blurred: Mapping[str, Path], sharp: Mapping[str, Path]) -> Iterator[Lacking]:
    """What each side lacks of the other; nothing for a side that lacks nothing.

    Args:
        blurred: The files of one side by name.
        sharp: The files of the other side by name.
    """
    sides: tuple[tuple[Side, Mapping[str, Path], Mapping[str, Path]], ...]
    sides = (("sharp", blurred, sharp), ("blurred", sharp, blurred))
    for side, have, lack in sides:
        if names := sorted(have.keys() - lack.keys()):
            yield Lacking(side, names, [have[name] for name in names])
