"""Expands ``~/x`` on the command line: a shell does not expand it after ``run=``, and only some libraries do."""

import re
from collections.abc import Sequence
from pathlib import Path

# A ~ at the beginning of a value: after the key, in a list or mapping, or in quotes.
_HOME = re.compile(r"""(?<=[=,\[{:"' ])~(?=/)""")


def with_home(arguments: Sequence[str]) -> list[str]:
    """Replace each ``~/`` at the beginning of a value in the overrides by the user's home folder."""
    return [_HOME.sub(lambda _: str(Path.home()), argument) for argument in arguments]
