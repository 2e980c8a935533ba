"""Settings as a user types them: messages that name a command are copied into a shell."""

import re
import shlex
from collections.abc import Mapping

# What neither a shell nor Hydra's grammar reads as anything but text.
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+-]+")
_WORDS = ("null", "true", "false")  # Hydra takes them for values of other types, in any spelling


def assignment(key: str, value: object) -> str:
    """``key=value`` for a command line of a POSIX shell, quoted if the shell or Hydra would misread the value.

    Most paths need no quotes: ``run=outputs/first``. A path with a space has two pairs of them, one for the shell and
    one for Hydra: ``'run="my runs/first"'``.
    """
    return shlex.quote(f"{key}={_in_grammar(value)}")


def quoted_assignment(key: str, value: object) -> str:
    """:func:`assignment` with both pairs of quotes, whether the value needs them or not."""
    return shlex.quote(f"{key}={quoted(str(value))}")


def mapping_assignment(key: str, values: Mapping[str, object]) -> str:
    """:func:`assignment` of a mapping: ``'roots={reds:REDS,gopro:"my GOPRO"}'``. Its keys are names."""
    return shlex.quote(f"{key}={{{','.join(f'{name}:{_in_grammar(value)}' for name, value in values.items())}}}")


def quoted(text: str) -> str:
    """Quote a text for Hydra's grammar: it is put in quotes, and quotes within it get a backslash.

    Backslashes stand for themselves, except before a quote, where each has to be doubled. ``${``, which begins a
    reference to another key, gets a backslash too.
    """
    literal = re.sub(r"(\\*)\$\{", r"\1\1\\${", text)
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', literal)
    return '"' + re.sub(r"(\\+)$", r"\1\1", escaped) + '"'


def _in_grammar(value: object) -> str:
    """A value for Hydra's grammar, quoted if it would be misread."""
    text = str(value)
    return text if _is_plain(text) else quoted(text)


def _is_plain(text: str) -> bool:
    if not _PLAIN.fullmatch(text) or text.lower() in _WORDS:
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False  # a number
