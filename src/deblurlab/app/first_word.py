"""A command line that begins with a file's name by itself, as in ``deblurlab convert FILE.h5 model=...``."""

from collections.abc import Sequence

from deblurlab.app.invocation import quoted


def with_key(arguments: Sequence[str], key: str) -> list[str]:
    """The overrides with ``key=`` before the first word, if that is neither an override nor an option.

    What begins with a ``-`` or holds a ``=`` stays as it is.
    """
    if not arguments or arguments[0].startswith("-") or "=" in arguments[0]:
        return list(arguments)
    return [f"{key}={quoted(arguments[0])}", *arguments[1:]]
