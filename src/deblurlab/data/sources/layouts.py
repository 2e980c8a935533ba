"""Frames of video sequences on disk: which files make a pair, and which pairs are for validation."""

import logging
import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

log = logging.getLogger(__name__)

VALIDATION_SHARE = 0.125
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


class FramePair(NamedTuple):
    """One frame of a sequence: the same moment, blurred and sharp."""

    sequence: str
    frame: str
    blurred: Path
    sharp: Path

    @property
    def name(self) -> str:
        return f"{self.sequence}/{self.frame}"


class Layout(NamedTuple):
    """How a data set lies on disk, for the code that finds it and for the user who misplaced it.

    Attributes:
        title: the data set's name.
        page: where it is offered for download.
        train, test: the blurred and the sharp folder of each ``{sequence}``, below the root.
        example: a sequence and a frame as they are named, for the drawing of the layout.
        published: how many training and test frames there are in all.
    """

    title: str
    page: str
    train: tuple[str, str]
    test: tuple[str, str]
    example: tuple[str, str]
    published: tuple[int, int]

    def folders(self, split: str) -> tuple[str, str]:
        return self.train if split == "train" else self.test

    def help(self) -> str:
        """The layout, drawn, and where to download the data set."""
        sequence, frame = self.example
        files = [f"  {folder.format(sequence=sequence)}/{frame} ..." for folder in (*self.train, *self.test)]
        drawn = "\n".join(files)
        return f"Expected below data.root:\n{drawn}\nDownload {self.title} from {self.page}"


def images_in(folder: Path) -> dict[str, Path]:
    """The picture files directly in ``folder``, by name without suffix, sorted.

    Raises:
        ValueError: if two differ in their suffix alone.
    """
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in SUFFIXES:
            _add(found, file.stem, file)
    return found


def _add(found: dict[str, Path], name: str, file: Path) -> None:
    if name in found:
        raise ValueError(f"{found[name]} and {file} have the same name but for the suffix: which one is it?")
    found[name] = file


def image_tree(folder: Path) -> dict[str, Path]:
    """The picture files below ``folder``, by relative path without suffix, sorted. Linked folders are entered once."""
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


def find_frames(root: Path, split: str, layout: Layout) -> list[FramePair]:
    """All frame pairs of the official ``split`` ("train" or "test"), sorted by sequence and frame.

    Raises:
        ValueError: if folders or the other half of a pair are missing; says what is expected, what is there
            and where to download it.
    """
    pairs = [pair for folders in sequence_folders(root, split, layout) for pair in _paired(*folders)]
    if not pairs:
        raise ValueError(f"{root} holds no frames of {layout.title} for split {split}. {layout.help()}")
    return pairs


def sequence_folders(root: Path, split: str, layout: Layout) -> list[tuple[str, Path, Path]]:
    """Name, blurred and sharp folder of every sequence of ``split`` that has either folder, sorted.

    Raises:
        ValueError: if a folder above the sequences is missing.
    """
    if not root.is_dir():
        raise ValueError(f"data.root={root}: there is no such folder. {layout.help()}")
    found: dict[str, tuple[str, Path, Path]] = {}
    for pattern in layout.folders(split):
        above, _, below = pattern.partition("{sequence}")
        folder = root / above
        if not folder.is_dir():
            raise ValueError(
                f"data.root={root}: there is no folder {above.rstrip('/')}{_beside(folder)}. {layout.help()}"
            )
        for entry in folder.iterdir():
            if entry.is_dir() and (entry / below.lstrip("/")).is_dir():
                blurred, sharp = (root / side.format(sequence=entry.name) for side in layout.folders(split))
                found[entry.name] = (entry.name, blurred, sharp)
    return [found[name] for name in sorted(found)]


def _beside(folder: Path) -> str:
    """What is there in place of a missing folder."""
    parent = folder
    while not parent.is_dir() and parent != parent.parent:
        parent = parent.parent
    there = sorted(entry.name for entry in parent.iterdir())
    shown = ", ".join(there[:8]) + (", ..." if len(there) > 8 else "")
    return f" ({parent} holds: {shown})" if there else f" ({parent} is empty)"


def _paired(sequence: str, blurred: Path, sharp: Path) -> Iterator[FramePair]:
    sides = [images_in(folder) if folder.is_dir() else {} for folder in (blurred, sharp)]
    for have, lack, folder in ((sides[0], sides[1], sharp), (sides[1], sides[0], blurred)):
        if alone := sorted(have.keys() - lack.keys()):
            raise ValueError(
                f"{folder} lacks {len(alone)} of the frames of {have[alone[0]].parent}, first {have[alone[0]].name}. "
                "python -m deblurlab.prepare check=true lists all that is missing."
            )
    for frame, file in sides[0].items():
        yield FramePair(sequence, frame, file, sides[1][frame])


def held_out(sequences: Sequence[str], title: str, purpose: str = "validation") -> npt.NDArray[np.bool_]:
    """Which frames to hold out: an eighth of the sequences, the same ones in every run.

    Neighbouring frames are near copies, so whole sequences are held out. With fewer than eight sequences the
    last eighth of each sequence's frames is taken instead, and a warning says so.

    Args:
        sequences: the sequence of each frame, equal ones adjacent.
        title: the data set's name, for messages.
        purpose: what the frames are held out for, for messages.

    Raises:
        ValueError: if every sequence has but one frame, and there are fewer than eight.
    """
    names = [name for name, _ in groupby(sequences)]
    if len(names) >= round(1 / VALIDATION_SHARE):
        order = np.random.default_rng(0).permutation(len(names))
        chosen = {names[index] for index in order[: round(VALIDATION_SHARE * len(names))]}
        return np.array([name in chosen for name in sequences])
    masks = []
    for _, group in groupby(sequences):
        count = len(list(group))
        kept = count - max(1, round(VALIDATION_SHARE * count)) if count > 1 else 1
        masks.append(np.arange(count) >= kept)
    mask = np.concatenate(masks)
    if not mask.any():
        raise ValueError(f"{title}: {len(mask)} frames are too few to hold out one for {purpose}.")
    log.warning(
        f"{title}: {len(names)} sequences are too few to hold some out for {purpose}, so the last frames of "
        "each are. They resemble the others: scores on them flatter."
    )
    return mask
