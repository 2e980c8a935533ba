"""The progress bar of a command, on a terminal only."""

import sys

from tqdm import tqdm


def progress_bar(title: str, *, unit: str, total: int | None = None, leave: bool = True) -> "tqdm[None]":
    """A progress bar for a ``with`` statement; ``bar.update(1)`` advances it by one.

    Args:
        title: The text before the bar.
        unit: The things that are counted, in the plural.
        total: The number of all of them; None if it is not known.
        leave: Whether the bar stays on the terminal at the end.
    """
    return tqdm(desc=title, total=total, unit=f" {unit}", leave=leave, disable=not sys.stderr.isatty())
