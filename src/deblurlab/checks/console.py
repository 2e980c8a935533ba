"""The console on which commands print their tables."""

import sys

from rich.console import Console


def table_console(*, record: bool = False) -> Console:
    """A console that is as wide as the terminal, or 160 columns wide for a file or a pipe.

    rich would take 80 columns for the latter, in which wide tables are folded and their numbers cut.

    Args:
        record: Whether the console keeps what it prints, for ``export_text``.
    """
    return Console(width=None if sys.stdout.isatty() else 160, record=record)
