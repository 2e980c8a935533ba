"""Remembers the folders that a command makes before its work begins, so that a refused command leaves none of them."""

from contextlib import suppress
from pathlib import Path

_made: list[Path] = []  # the folders of the running command, those above others first


def made_for(folder: object) -> str:
    """Remember which of a folder and those above it do not exist yet, for the command is about to make them.

    It is a resolver, by which a command's YAML file names the folder that Hydra makes: ``${made_for:${run}}``.

    Returns:
        ``folder`` itself, as a text.

    Raises:
        ValueError: If its path has ``${`` in it. Hydra writes the log there, and would take this for a reference.
    """
    path = Path(str(folder)).absolute()
    if "${" in str(path):
        raise ValueError(
            f"{path}: Hydra cannot write to a folder with ${{ in its path; rename it, or name another one."
        )
    _made.extend(one for one in (*reversed(path.parents), path) if not one.exists())
    return str(folder)


def made(folder: Path) -> None:
    """Remember a folder that the command has just made."""
    _made.append(folder.absolute())


def remove_empty() -> None:
    """Remove the remembered folders that are empty, and forget all of them."""
    for folder in reversed(_made):
        with suppress(OSError):  # it holds files, or is gone
            folder.rmdir()
    _made.clear()
