"""Allows a file's name without a key as the first word, as in ``deblurlab convert FILE.h5 model=...``."""

from collections.abc import Sequence

from deblurlab.checks.command_line import quoted


def with_key(arguments: Sequence[str], key: str) -> list[str]:
    """Put ``key=`` before the first word, unless that begins with ``-`` (an option) or contains ``=`` (an override)."""
    if not arguments or arguments[0].startswith("-") or "=" in arguments[0]:
        return list(arguments)
    return [f"{key}={quoted(arguments[0])}", *arguments[1:]]
