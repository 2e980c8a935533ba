"""Where the frames of a data set lie when they lie as its authors publish them."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deblurlab import pictures
from deblurlab.data.sources.picture_files import FilePair, images_in, same_name, without_partner
from deblurlab.data.splits import PublishedSplit
from deblurlab.pictures.folders import LeftOut, is_systems_folder

log = logging.getLogger(__name__)


class Layout(NamedTuple):
    """How a data set lies on disk, for the code that finds it and for the user who misplaced it.

    Attributes:
        title: The data set's name.
        page: Where it is offered for download.
        train: The blurred and the sharp folder of each ``{sequence}`` for training, relative to the root.
        test: The same for testing.
        example: The name of a sequence and of a frame, for the drawing of the layout.
        published: How many training and test frames were published.
    """

    title: str
    page: str
    train: tuple[str, str]
    test: tuple[str, str]
    example: tuple[str, str]
    published: tuple[int, int]

    def folders(self, split: PublishedSplit) -> tuple[str, str]:
        """The blurred and the sharp folder of each ``{sequence}`` of a split."""
        return self.train if split == "train" else self.test

    def help(self) -> str:
        """A drawing of the layout, and where to download the data set."""
        sequence, frame = self.example
        files = [f"  {folder.format(sequence=sequence)}/{frame} ..." for folder in (*self.train, *self.test)]
        drawn = "\n".join(files)
        return f"Expected below data.root:\n{drawn}\nDownload {self.title} from {self.page}"


def find_frames(root: Path, split: PublishedSplit, layout: Layout) -> list[FilePair]:
    """All pairs of a published split, sorted by sequence and frame.

    Raises:
        ValueError: if folders or the other side of a pair are missing. The message says what is expected, what is
            there and where to download the data set.
    """
    left_out = LeftOut(pictures.SUFFIXES)
    pairs = [pair for folders in sequence_folders(root, split, layout) for pair in _paired(*folders, left_out)]
    for line in left_out.lines():
        log.info(f"{root}, split {split}: {line}")
    if not pairs:
        raise ValueError(f"{root} holds no frames of {layout.title} for split {split}. {layout.help()}")
    return pairs


def sequence_folders(root: Path, split: PublishedSplit, layout: Layout) -> list[tuple[str, Path, Path]]:
    """The name, the blurred and the sharp folder of each sequence that has either folder, sorted by name.

    Raises:
        ValueError: if a folder above the sequences is missing.
    """
    if not root.is_dir():
        raise ValueError(f"data.root={root}: there is no such folder. {layout.help()}")
    sides: list[dict[str, Path]] = []
    for pattern in layout.folders(split):
        above, _, below = pattern.partition("{sequence}")
        folder = root / above
        if not folder.is_dir():
            raise ValueError(
                f"data.root={root}: there is no folder {above.rstrip('/')}{_beside(folder)}. {layout.help()}"
            )
        entries = [entry for entry in folder.iterdir() if entry.is_dir() and not is_systems_folder(entry.name)]
        found = {same_name(entry.name): entry / below.lstrip("/") for entry in entries}
        sides.append({name: path for name, path in found.items() if path.is_dir()})
    names = sorted(sides[0].keys() | sides[1].keys())
    expected = [{name: root / pattern.format(sequence=name) for name in names} for pattern in layout.folders(split)]
    blurred, sharp = (wanted | there for wanted, there in zip(expected, sides, strict=True))
    return [(name, blurred[name], sharp[name]) for name in names]


def _beside(folder: Path) -> str:
    """What the nearest folder that exists holds instead of a missing folder."""
    parent = folder
    while not parent.is_dir() and parent != parent.parent:
        parent = parent.parent
    there = sorted(entry.name for entry in parent.iterdir())
    shown = ", ".join(there[:8]) + (", ..." if len(there) > 8 else "")
    return f" ({parent} holds: {shown})" if there else f" ({parent} is empty)"


def _paired(sequence: str, blurred: Path, sharp: Path, left_out: LeftOut) -> Iterator[FilePair]:
    """The pairs of one sequence; ValueError if a frame has no partner."""
    folders = {"blurred": blurred, "sharp": sharp}
    files = {side: images_in(folder, left_out) if folder.is_dir() else {} for side, folder in folders.items()}
    if lacking := next(without_partner(files["blurred"], files["sharp"]), None):
        first = lacking.files[0]
        raise ValueError(
            f"{folders[lacking.side]} lacks {len(lacking.names)} of the frames of {first.parent}, first {first.name}. "
            "python -m deblurlab.prepare check=true lists all that is missing."
        )
    for frame, file in files["blurred"].items():
        yield FilePair(sequence, frame, file, files["sharp"][frame])
