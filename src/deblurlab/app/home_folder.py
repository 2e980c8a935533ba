"""Expands ``~/x`` on the command line: a shell does not expand it after ``run=``, and only some libraries do."""

import re
from collections.abc import Sequence
from pathlib import Path

# Where a value begins: behind the key, in a list or mapping, or in quotes.
_HOME = re.compile(r"""(?<=[=,\[{:"' ])~(?=/)""")


def with_home(arguments: Sequence[str]) -> list[str]:
    """The overrides with the user's home folder in place of each ``~/`` that begins a value."""
    return [_HOME.sub(lambda _: str(Path.home()), argument) for argument in arguments]
