"""Selects the pictures among the files of a folder, and describes the files that are left out."""

from collections.abc import Collection, Iterable
from pathlib import PurePath

from deblurlab.pictures.formats import what_to_do

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


class LeftOut:
    """Collects the files of a folder that are left out, and describes them in few lines.

    Args:
        suffixes: The suffixes of the files that are not left out, in lower case.
    """

    def __init__(self, suffixes: Collection[str]) -> None:
        self._suffixes = suffixes
        self._companions: list[str] = []
        self._others: list[str] = []
        self._advice: dict[str, str] = {}

    def takes(self, file: PurePath) -> bool:
        """Whether to use a file, given relative to the folder. If not, it is recorded.

        A system's files that do not look like pictures, such as ``.DS_Store``, are not recorded.
        """
        known = file.suffix.lower() in self._suffixes
        if is_companion(file):
            self._companions += [str(file)] if known else []
            return False
        if not known:
            self._others.append(file.name)
            if advice := what_to_do(file):
                self._advice.setdefault(file.suffix.lower(), advice)
        return known

    def lines(self) -> list[str]:
        """Lines for the log about the files that were left out; none if there are no such files."""
        lines = []
        if self._companions:
            lines.append(f"left out, because systems add them to folders of pictures: {_first(self._companions)}")
        if self._others:
            advice = "".join(f"; {one}" for one in self._advice.values())
            lines.append(f"left out, because their format is not supported: {_first(self._others)}{advice}")
        return lines


def _first(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:_SHOWN]) + (f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else "")
