"""A command line that begins with a file's name by itself, as in ``deblurlab convert FILE.h5 model=...``."""

from collections.abc import Sequence


def with_key(arguments: Sequence[str], key: str) -> list[str]:
    """The overrides with ``key=`` before the first word, if that is neither an override nor an option.

    What begins with a ``-`` or holds a ``=`` stays as it is. Hydra takes a quoted value as it stands.
    """
    if not arguments or arguments[0].startswith("-") or "=" in arguments[0]:
        return list(arguments)
    quoted = arguments[0].replace("'", r"\'")
    return [f"{key}='{quoted}'", *arguments[1:]]
