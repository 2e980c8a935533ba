"""The progress bar of a command, on a terminal only."""

import sys

from tqdm import tqdm


def progress_bar(title: str, *, unit: str, total: int | None = None, leave: bool = True) -> "tqdm[None]":
    """A bar that counts, shown while a ``with`` statement runs. ``bar.update(1)`` counts one.

    Args:
        title: What stands before the bar.
        unit: What is counted, in the plural.
        total: How many there will be, if that is known.
        leave: Whether the bar stays on the terminal when it is full.
    """
    return tqdm(desc=title, total=total, unit=f" {unit}", leave=leave, disable=not sys.stderr.isatty())
