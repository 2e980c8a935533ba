"""The folders of published data sets, and the frames that are found in them."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from deblurlab import pictures
from deblurlab.checks.words import counted, first_of
from deblurlab.data.sources.picture_files import FilePair, Side, images_in, same_name, without_partner
from deblurlab.interfaces import Split
from deblurlab.pictures.folders import LeftOut, is_systems_folder

log = logging.getLogger(__name__)

_SEQUENCE = "{sequence}"


class SequenceFiles(NamedTuple):
    """The pictures of one sequence.

    Attributes:
        name: The sequence's name.
        places: The name of each side in messages, such as its folder.
        files: The files of each side by the name of their frame.
    """

    name: str
    places: dict[Side, str]
    files: dict[Side, dict[str, Path]]


class PublishedLayout(Protocol):
    """The places of a data set's files, for the code that finds them and for messages about missing ones."""

    @property
    def title(self) -> str:
        """The data set's name."""
        ...

    @property
    def page(self) -> str:
        """The page from which it can be downloaded."""
        ...

    @property
    def video(self) -> bool:
        """Whether its sequences are videos, whose frames have one size."""
        ...

    def counts(self) -> dict[Split, int | None]:
        """The published splits with their numbers of pairs; None if a number is not known."""
        ...

    def help(self) -> str:
        """A drawing of the layout with the download page, for messages."""
        ...

    def sequences(self, root: Path, split: Split, left_out: LeftOut) -> list[SequenceFiles]:
        """The files of a split that are found below ``root``, sorted by sequence.

        Raises:
            ValueError: If a folder or a list is missing. The message says what is expected and where to download it.
        """
        ...


class Layout(NamedTuple):
    """A :class:`PublishedLayout` of folders. ``{sequence}`` stands for the name of a sequence.

    A sharp folder without ``{sequence}`` is shared by all sequences: each takes the frames whose names are in its
    blurred folder.

    Attributes:
        title: The data set's name.
        page: The page from which it can be downloaded.
        train: The blurred and the sharp folder of each ``{sequence}`` for training, relative to the root.
        test: The same for testing.
        example: The name of a sequence and of a frame, for the drawing of the layout.
        published: The numbers of published training and test frames; None if they are not known.
        val: The folders of frames that were published for validation, if there are any. Only
            :class:`deblurlab.data.PublishedPairs` reads them; :class:`deblurlab.data.VideoFrames` holds out some
            of the training frames instead.
        in_order: Whether the two files of a pair have different names: the first blurred file and the first sharp file
            of a sequence, in the order of their names, are its first pair, and so on.
        video: Whether sequences are videos, whose frames have one size, or folders of photographs.
    """

    title: str
    page: str
    train: tuple[str, str]
    test: tuple[str, str]
    example: tuple[str, str]
    published: tuple[int, int] | None = None
    val: tuple[str, str] | None = None
    in_order: bool = False
    video: bool = True

    def folders(self, split: Split) -> tuple[str, str]:
        """The blurred and the sharp folder of each ``{sequence}`` of a split."""
        if split == "val":
            assert self.val is not None
            return self.val
        return self.train if split == "train" else self.test

    def counts(self) -> dict[Split, int | None]:
        train, test = self.published or (None, None)
        validation: dict[Split, int | None] = {} if self.val is None else {"val": None}
        return {"train": train, **validation, "test": test}

    def help(self) -> str:
        sequence, frame = self.example
        folders = dict.fromkeys(folder for split in self.counts() for folder in self.folders(split))
        drawn = "\n".join(f"  {folder.format(sequence=sequence)}/{frame} ..." for folder in folders)
        return f"Expected below data.root:\n{drawn}\nDownload {self.title} from {self.page}"

    def sequences(self, root: Path, split: Split, left_out: LeftOut) -> list[SequenceFiles]:
        shared = _SEQUENCE not in self.folders(split)[1] and not self.in_order
        found = []
        for name, *folders in sequence_folders(root, split, self, left_out):
            blurred, sharp = (images_in(folder, left_out) if folder.is_dir() else {} for folder in folders)
            if shared:
                sharp = {frame: file for frame, file in sharp.items() if frame in blurred}
            elif self.in_order:
                sharp = _named_in_order(blurred, sharp, folders)
            places: dict[Side, str] = {"blurred": str(folders[0]), "sharp": str(folders[1])}
            found.append(SequenceFiles(name, places, {"blurred": blurred, "sharp": sharp}))
        return found


def _named_in_order(blurred: Mapping[str, Path], sharp: Mapping[str, Path], folders: Sequence[Path]) -> dict[str, Path]:
    """Give the sharp files the names of the blurred ones in the same places of their order.

    Raises:
        ValueError: If there are not as many sharp as blurred files, since then nothing tells which belong together.
    """
    if len(blurred) != len(sharp):
        raise ValueError(
            f"{folders[0]} holds {counted(len(blurred), 'picture')} and {folders[1]} {len(sharp):,}: their files have "
            "different names and are paired in their order, so there must be equally many. Unpack the data set again."
        )
    return dict(zip(blurred, sharp.values(), strict=True))


def find_frames(root: Path, split: Split, layout: PublishedLayout) -> list[FilePair]:
    """All pairs of a published split, sorted by sequence and frame.

    Raises:
        ValueError: If folders or the other side of a pair are missing, or two files have the same name. The message
            says what is expected, what was found and where to download the data set.
    """
    left_out = LeftOut(pictures.SUFFIXES)
    pairs = [pair for sequence in layout.sequences(root, split, left_out) for pair in _paired(sequence)]
    left_out.require_unambiguous()
    for line in left_out.lines():
        log.info(f"{root}, split {split}: {line}")
    if not pairs:
        raise ValueError(f"{root} holds no frames of {layout.title} for split {split}. {layout.help()}")
    published = layout.counts()[split]
    if isinstance(layout, Layout) and layout.in_order and published is not None and len(pairs) != published:
        log.warning(
            f"{root}, split {split}: {len(pairs):,} pairs of the {published:,} published. Files are paired in the "
            "order of their names, so if a file is missing on each side, the pairs between the two are wrong."
        )
    return pairs


def sequence_folders(root: Path, split: Split, layout: Layout, left_out: LeftOut) -> list[tuple[str, Path, Path]]:
    """The name, the blurred and the sharp folder of each sequence that has either folder, sorted by name.

    Links that lead nowhere are recorded in ``left_out``.

    Raises:
        ValueError: If a folder above the sequences is missing.
    """
    require_root(root, layout)
    patterns = layout.folders(split)
    sides = [_by_sequence(root, pattern, layout, left_out) for pattern in patterns]
    names = sorted(sides[0].keys() | sides[1].keys()) if _SEQUENCE in patterns[0] else [patterns[0]]
    expected = [{name: root / pattern.format(sequence=name) for name in names} for pattern in patterns]
    blurred, sharp = (wanted | there for wanted, there in zip(expected, sides, strict=True))
    return [(name, blurred[name], sharp[name]) for name in names]


def _by_sequence(root: Path, pattern: str, layout: Layout, left_out: LeftOut) -> dict[str, Path]:
    """The folders of one side by the name of their sequence; none if the side is one folder for all sequences."""
    above, _, below = pattern.partition(_SEQUENCE)
    folder = root / above
    if not folder.is_dir():
        raise ValueError(f"data.root={root}: there is no folder {above.rstrip('/')}{_beside(folder)}. {layout.help()}")
    if _SEQUENCE not in pattern:
        return {}
    entries = [
        entry
        for entry in sorted(folder.iterdir())
        if not is_systems_folder(entry.name) and not left_out.is_lost(entry, root) and entry.is_dir()
    ]
    found: dict[str, Path] = {}
    for path in (entry / below.lstrip("/") for entry in entries):
        name = same_name(path.relative_to(folder).parts[0])
        if path.is_dir() and found.setdefault(name, path) != path:
            left_out.ambiguous.append(
                f"{found[name]} and {path} have the same name but for the way in which their accents are stored: "
                "rename one of them or take it out"
            )
    return found


def require_root(root: Path, layout: PublishedLayout) -> None:
    """Raise ValueError, with the page to download from, if there is no folder ``root``."""
    if not root.is_dir():
        raise ValueError(f"data.root={root}: there is no such folder. {layout.help()}")


def _beside(folder: Path) -> str:
    """The entries of the nearest existing parent of a missing folder, for a message."""
    parent = folder
    while not parent.is_dir() and parent != parent.parent:
        parent = parent.parent
    there = sorted(entry.name for entry in parent.iterdir())
    return f" ({parent} holds: {first_of(there, 8)})" if there else f" ({parent} is empty)"


def _paired(sequence: SequenceFiles) -> Iterator[FilePair]:
    """The pairs of one sequence; ValueError if a frame has no partner."""
    blurred, sharp = sequence.files["blurred"], sequence.files["sharp"]
    if lacking := next(without_partner(blurred, sharp), None):
        first = lacking.files[0]
        raise ValueError(
            f"{sequence.places[lacking.side]} lacks {len(lacking.names)} of the frames of {first.parent}, first "
            f"{first.name}. python -m deblurlab.prepare check=true lists all that is missing."
        )
    for frame, file in blurred.items():
        yield FilePair(sequence.name, frame, file, sharp[frame])
