"""Layouts of data sets that are published with lists of their pairs."""

import logging
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from deblurlab.checks.words import counted
from deblurlab.data.sources.layouts import SequenceFiles, require_root
from deblurlab.data.sources.picture_files import Side, same_name
from deblurlab.interfaces import Split
from deblurlab.pictures.folders import LeftOut

log = logging.getLogger(__name__)


class ListedLayout(NamedTuple):
    """A :class:`PublishedLayout` of lists: text files with one pair per line, ``SHARP BLURRED``, relative to the root.

    The second folder of the blurred path is the pair's sequence: ``RSBlur/0019/000722/real_blur/real_blur.png`` belongs
    to 0019.

    Attributes:
        title: The data set's name.
        page: The page from which the data set and its lists can be downloaded.
        train: The list of the training pairs, relative to the root.
        test: The same for testing.
        example: A line of the list.
        published: The numbers of published training and test pairs.
        val: The list of the validation pairs, if there is one. Otherwise some training sequences are held out.
        video: Whether sequences are videos, whose frames have one size, or groups of photographs.
    """

    title: str
    page: str
    train: str
    test: str
    example: str
    published: tuple[int, int]
    val: str | None = None
    video: bool = False

    def counts(self) -> dict[Split, int | None]:
        train, test = self.published
        validation: dict[Split, int | None] = {} if self.val is None else {"val": None}
        return {"train": train, **validation, "test": test}

    def help(self) -> str:
        lists = ", ".join(name for name in (self.train, self.val, self.test) if name is not None)
        files = "\n".join(f"  {file} ..." for file in self.example.split())
        return f"Expected below data.root:\n  {lists}\n{files}\nDownload {self.title} from {self.page}"

    def sequences(self, root: Path, split: Split, left_out: LeftOut) -> list[SequenceFiles]:
        require_root(root, self)
        name = {"train": self.train, "val": self.val, "test": self.test}[split]
        assert name is not None
        lines = self._lines(root / name)
        found: dict[str, dict[Side, dict[str, Path]]] = defaultdict(lambda: {"blurred": {}, "sharp": {}})
        first: dict[str, _Line] = {}  # by the name of its pair
        absent = 0
        for line in lines:
            _, sequence, *rest = line.blurred.parts
            frame = Path(*rest).with_suffix("").as_posix()
            there: dict[Side, Path] = {"blurred": root / line.blurred, "sharp": root / line.sharp}
            there = {side: file for side, file in there.items() if file.is_file()}
            absent += not there
            pair = f"{sequence}/{frame}"
            if there and first.setdefault(same_name(pair), line) != line:
                other = first[same_name(pair)]
                left_out.ambiguous.append(
                    f"{root / name}, lines {other.number} and {line.number}: {other.blurred} with {other.sharp} and "
                    f"{line.blurred} with {line.sharp} are both the pair {pair}: take one of these lines out"
                )
                continue
            for side, file in there.items():
                found[sequence][side][frame] = file
        if absent:
            log.warning(f"{root}: {absent:,} of the {len(lines):,} pairs that {name} names are not there")
        return [SequenceFiles(one, _places(root, one), files) for one, files in sorted(found.items())]

    def _lines(self, file: Path) -> list["_Line"]:
        """The lines of a list, of which those that repeat another are left out with a warning."""
        if not file.is_file():
            raise ValueError(f"data.root={file.parent}: there is no list {file.name}. {self.help()}")
        pairs: dict[tuple[Path, Path], _Line] = {}
        repeated = []
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            paths = line.split()
            if paths and (len(paths) != 2 or len(Path(paths[1]).parts) < 3):
                raise ValueError(f"{file}, line {number}: expected two paths as in {self.example}")
            if paths:
                sharp, blurred = map(Path, paths)
                one = _Line(number, blurred, sharp)
                if pairs.setdefault((blurred, sharp), one) is not one:
                    repeated.append(one)
        if repeated:
            log.warning(
                f"{file}: {counted(len(repeated), 'line')} left out that repeat another, first {repeated[0].number}"
            )
        return list(pairs.values())


class _Line(NamedTuple):
    """A line of a list: its number, counted from 1, and its paths relative to the root."""

    number: int
    blurred: Path
    sharp: Path


def _places(root: Path, sequence: str) -> dict[Side, str]:
    return {"blurred": f"{root}: the blurred side of {sequence}", "sharp": f"{root}: the sharp side of {sequence}"}
