"""Layouts of data sets that are published with lists of their pairs."""

import logging
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from deblurlab.data.sources.layouts import SequenceFiles, require_root
from deblurlab.data.sources.picture_files import Side
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
    """

    title: str
    page: str
    train: str
    test: str
    example: str
    published: tuple[int, int]
    val: str | None = None

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
        pairs = self._pairs(root / name)
        found: dict[str, dict[Side, dict[str, Path]]] = defaultdict(lambda: {"blurred": {}, "sharp": {}})
        absent = 0
        for blurred, sharp in pairs:
            _, sequence, *rest = Path(blurred).parts
            frame = Path(*rest).with_suffix("").as_posix()
            there: dict[Side, Path] = {"blurred": root / blurred, "sharp": root / sharp}
            there = {side: file for side, file in there.items() if file.is_file()}
            for side, file in there.items():
                found[sequence][side][frame] = file
            absent += not there
        if absent:
            log.warning(f"{root}: {absent:,} of the {len(pairs):,} pairs that {name} names are not there")
        return [SequenceFiles(one, _places(root, one), files) for one, files in sorted(found.items())]

    def _pairs(self, file: Path) -> list[tuple[str, str]]:
        """The blurred and the sharp path in each line of a list."""
        if not file.is_file():
            raise ValueError(f"data.root={file.parent}: there is no list {file.name}. {self.help()}")
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        pairs = []
        for number, line in enumerate(lines, 1):
            paths = line.split()
            if paths and (len(paths) != 2 or len(Path(paths[1]).parts) < 3):
                raise ValueError(f"{file}, line {number}: expected two paths as in {self.example}")
            pairs += [(paths[1], paths[0])] if paths else []
        return pairs


def _places(root: Path, sequence: str) -> dict[Side, str]:
    return {"blurred": f"{root}: the blurred side of {sequence}", "sharp": f"{root}: the sharp side of {sequence}"}
