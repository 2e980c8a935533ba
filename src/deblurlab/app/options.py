"""Hydra's own options on a command line, such as ``--config-dir FOLDER``, among the settings ``KEY=VALUE``."""

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from deblurlab.app.suggestions import did_you_mean, listed_keys
from deblurlab.run.names import CONF

# Hydra's options; a test compares them with those of the installed version. Long ones may be abbreviated.
OPTIONS = {
    *("--help", "-h", "--hydra-help", "--version", "--cfg", "-c", "--resolve", "--package", "-p", "--run", "-r"),
    *("--multirun", "-m", "--shell-completion", "-sc", "--config-path", "-cp", "--config-name", "-cn"),
    *("--config-dir", "-cd", "--experimental-rerun", "--info", "-i"),
}
# Those of them that take a value.
VALUED = {
    *("--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd"),
    *("--experimental-rerun", "--info", "-i"),
}


def with_options_first(arguments: Sequence[str]) -> list[str]:
    """The options with their values, and after them all other words, both in the order in which they were given.

    Hydra's parser takes no option between two overrides, as in ``train model=unet16 -m seed=1,2``.
    """
    options: list[str] = []
    others: list[str] = []
    for before, word in pairwise(("", *arguments)):
        (options if word.startswith("-") or takes_value(before) else others).append(word)
    return [*options, *others]


def refuse_options(command: str, arguments: Sequence[str]) -> None:
    """Refuse options that Hydra does not have, such as ``--epochs 5``; Hydra would only list its own.

    Args:
        command: The name of the command.
        arguments: The command line without the program's name.

    Raises:
        ValueError: If there is one; the message names the settings that may have been meant.
    """
    for word in arguments:
        option = word.partition("=")[0]
        if not option.startswith("-") or any(
            option == known or (option.startswith("--") and known.startswith(option)) for known in OPTIONS
        ):
            continue
        meant = did_you_mean(option.lstrip("-").replace("-", "_"), listed_keys(config_folders(arguments)))
        raise ValueError(
            f"{command} {word}: settings are KEY=VALUE, without dashes.{meant} {command} --help lists all keys."
        )


def takes_value(word: str) -> bool:
    """Whether a word is an option whose value is the next word, as in ``--config-dir my_conf``."""
    return word in VALUED or (len(word) > 2 and word[:2] == "--" and any(one.startswith(word) for one in VALUED))


def without_options(arguments: Sequence[str]) -> list[str]:
    """The words of a command line that are neither options nor values of options."""
    return [word for before, word in pairwise(("", *arguments)) if not word.startswith("-") and not takes_value(before)]


def config_folders(arguments: Sequence[str]) -> list[Path]:
    """The folders whose files a command line can choose from.

    They are deblurlab's own, that of ``--config-dir``, and those of ``hydra.searchpath``.
    """
    return [CONF, *map(Path, _added(arguments))]


def known_keys() -> Iterator[str]:
    """The keys that this command's line can set: see :func:`listed_keys`."""
    return listed_keys(config_folders(sys.argv[1:]))


def _added(arguments: Sequence[str]) -> Iterator[str]:
    for word, following in pairwise((*arguments, "")):
        option, has_value, value = word.partition("=")
        if option == "-cd" or (option.startswith("--config-d") and "--config-dir".startswith(option)):
            yield value if has_value else following
        if option.lstrip("+") == "hydra.searchpath":
            places = re.split(r"[\[\],'\"]+", value)
            yield from (place.removeprefix("file://") for place in places if place and not place.startswith("pkg://"))
