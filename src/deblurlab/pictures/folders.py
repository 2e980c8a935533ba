"""Finds the files below a folder, selects the pictures among them, and describes the files that are left out."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from deblurlab.pictures.formats import what_to_do
from deblurlab.pictures.regular_file import is_lost_link

# Folders for deleted or saved files on Windows and network storages, and for attributes in macOS' archives.
_KEPT_BY_SYSTEMS = {"__MACOSX", "$RECYCLE.BIN", "#recycle", "#snapshot", "lost+found"}
_SHOWN = 5


def is_companion(file: PurePath) -> bool:
    """Whether a file was added by a system: macOS' ``._NAME``, and files in folders of thumbnails.

    Args:
        file: A file relative to the folder that the user names; the name of that folder does not count.
    """
    folders = file.parts[:-1]
    return file.name.startswith(".") or any(map(is_systems_folder, folders))


def is_systems_folder(name: str) -> bool:
    """Whether a folder of this name is a system's: ``.thumbnails``, ``@eaDir``, ``__MACOSX``."""
    return name.startswith((".", "@")) or name in _KEPT_BY_SYSTEMS


def files_below(top: Path) -> Iterator[Path]:
    """Yield the paths of all files below a folder, and of links that lead nowhere, named pipes and the like.

    Links to folders are followed after all other folders, and no folder is entered twice. So circular links are
    harmless, and a file that is in the folder itself has the path without a link. There are none if there is no such
    folder.

    Raises:
        OSError: If a folder may not be read, unless it is a system's; the message names it. Its files would be missing
            without a word.
    """

    def refuse(error: OSError) -> None:
        if not any(map(is_systems_folder, Path(error.filename).relative_to(top).parts)):
            raise error

    entered, waiting = set(), [top] if top.is_dir() else []
    while waiting:
        for folder, folders, files in os.walk(waiting.pop(0), onerror=refuse):
            if (real := os.path.realpath(folder)) in entered:
                folders.clear()
                continue
            entered.add(real)
            yield from (Path(folder, name) for name in files)
            waiting += sorted(link for name in folders if (link := Path(folder, name)).is_symlink())


class LeftOut:
    """Collects the files of a folder that are left out, and describes them in few lines.

    Args:
        suffixes: The suffixes of the files that are not left out, in lower case.

    Attributes:
        ambiguous: A line for each file that is left out because another has the same name, without a full stop.
    """

    def __init__(self, suffixes: Collection[str]) -> None:
        self.ambiguous: list[str] = []
        self._suffixes = suffixes
        self._companions: list[str] = []
        self._others: list[str] = []
        self._lost: list[str] = []
        self._advice: dict[str, str] = {}

    def takes(self, file: Path, top: Path) -> bool:
        """Whether to use a file. If not, it is recorded.

        A system's files that do not look like pictures, such as ``.DS_Store``, are not recorded. A link that leads
        nowhere is taken if it has the suffix of a picture: whoever reads it tells that it cannot be read.

        Args:
            file: The file.
            top: The folder that the user names, somewhere above it.
        """
        inside, known = file.relative_to(top), file.suffix.lower() in self._suffixes
        if is_companion(inside):
            self._companions += [str(inside)] if known else []
            return False
        if not known and not self.is_lost(file, top):
            self._others.append(file.name)
            if advice := what_to_do(file):
                self._advice.setdefault(file.suffix.lower(), advice)
        return known

    def is_lost(self, path: Path, top: Path) -> bool:
        """Whether a path below ``top`` is a link that leads nowhere, perhaps to a folder. If so, it is recorded."""
        lost = is_lost_link(path)
        self._lost += [f"{path.relative_to(top)} -> {path.readlink()}"] if lost else []
        return lost

    def require_unambiguous(self) -> None:
        """Raise ValueError if a file was left out because another has the same name."""
        if self.ambiguous:
            raise ValueError(listed(self.ambiguous))

    def lines(self) -> list[str]:
        """Lines for the log about the files that were left out; none if there are no such files."""
        lines = []
        if self._companions:
            lines.append(f"left out, because systems add them to folders of pictures: {_first(self._companions)}")
        if self._lost:
            lines.append(f"left out, because these links lead nowhere: {_first(self._lost)}")
        if self._others:
            advice = "".join(f"; {one}" for one in self._advice.values())
            lines.append(f"left out, because their format is not supported: {_first(self._others)}{advice}")
        return lines


def listed(problems: Sequence[str]) -> str:
    """The message about some problems, one per line, of which only the first are spelt out."""
    more = len(problems) - _SHOWN
    return ".\n".join([*problems[:_SHOWN], *([f"There are {more} more such problems"] if more > 0 else [])]) + "."


def _first(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:_SHOWN]) + (f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else "")
