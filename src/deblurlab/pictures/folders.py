"""Which files of a folder are its pictures, and what is left out with a word in the log."""

from collections.abc import Collection, Iterable
from pathlib import PurePath

from deblurlab.pictures.formats import what_to_do

# Folders where Windows and network storages keep what is deleted or saved, and where macOS' archives keep attributes.
_KEPT_BY_SYSTEMS = {"__MACOSX", "$RECYCLE.BIN", "#recycle", "#snapshot", "lost+found"}
_SHOWN = 5


def is_companion(file: PurePath) -> bool:
    """Whether a system keeps a file for itself: macOS' ``._NAME``, and what lies in folders of thumbnails.

    Args:
        file: A file relative to the folder that a user names, whose own name does not count.
    """
    folders = file.parts[:-1]
    return file.name.startswith(".") or any(map(is_systems_folder, folders))


def is_systems_folder(name: str) -> bool:
    """Whether a folder of this name is a system's: ``.thumbnails``, ``@eaDir``, ``__MACOSX``."""
    return name.startswith((".", "@")) or name in _KEPT_BY_SYSTEMS


class LeftOut:
    """The files of a folder that are not taken for pictures, to be told in few lines.

    Args:
        suffixes: The suffixes of what is taken, in small letters.
    """

    def __init__(self, suffixes: Collection[str]) -> None:
        self._suffixes = suffixes
        self._companions: list[str] = []
        self._others: list[str] = []
        self._advice: dict[str, str] = {}

    def takes(self, file: PurePath) -> bool:
        """Whether a file, relative to the folder, is taken; if not, it is remembered.

        A system's files that are no pictures, such as ``.DS_Store``, are not worth a word.
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
        """What to say of the files that were not taken; nothing if all were."""
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
