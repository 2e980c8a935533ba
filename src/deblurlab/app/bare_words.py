"""The words of a command line: their order, and those without a key, for which Hydra's own error is unclear."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from deblurlab.app.suggestions import did_you_mean, listed_keys
from deblurlab.checks.command_line import assignment

# For each command, the key that a bare word is probably meant for, and an example of its value.
_MEANT = {
    "restore": ("input", "photo.jpg"),
    "report": ("runs", "'outputs/*/*'"),
    "evaluate": ("run", "outputs/sample_unet16/..."),
    "convert": ("input", "rednet30wgan_gen_cifar10.h5"),
    "export": ("weights", "photographs"),
    "demo": ("weights", "photographs"),
    "prepare": ("data.root", "REDS"),
    "train": ("experiment", "cifar10_unet16"),
    "plan": ("experiment", "cifar10_unet16"),
}
# The groups of which a bare word may be an option, such as unet16.
_GROUPS = ("model", "data", "trainer", "logger", "sweep")
_CONF = Path(__file__).parents[1] / "conf"
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
        (options if word.startswith("-") or _takes_value(before) else others).append(word)
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
        meant = did_you_mean(option.lstrip("-").replace("-", "_"), listed_keys())
        raise ValueError(
            f"{command} {word}: settings are KEY=VALUE, without dashes.{meant} {command} --help lists all keys."
        )


def refuse_bare_words(command: str, arguments: Sequence[str]) -> None:
    """Refuse words without a key.

    Args:
        command: The name of the command.
        arguments: The command line without the program's name.

    Raises:
        ValueError: If there is one; the message names the key that it may be meant for.
    """
    for before, word in pairwise(("", *arguments)):
        if word.startswith("=") or (before.endswith("=") and _is_bare(word)):
            raise ValueError(f"{command} {before} {word}: no space goes before or after a =, as in model=unet16.")
    for before, word in pairwise(("", *arguments)):
        if _takes_value(before) or not _is_bare(word):
            continue
        key = next((group for group in _GROUPS if (_CONF / group / f"{word}.yaml").is_file()), _MEANT[command][0])
        raise ValueError(f"{command} {word}: say {assignment(key, word)}. {command} --help lists all keys.")


def _takes_value(word: str) -> bool:
    """Whether a word is an option whose value is the next word, as in ``--config-dir my_conf``."""
    return word in VALUED or (len(word) > 2 and word[:2] == "--" and any(one.startswith(word) for one in VALUED))


def _is_bare(word: str) -> bool:
    return bool(word) and "=" not in word and not word.startswith(("-", "~"))


def example(command: str, key: str) -> str:
    """An example of a key that a command needs, as ``KEY=VALUE``, or as ``KEY=...`` without an example of its value."""
    meant, value = _MEANT[command]
    return f"{key}={value if key == meant else '...'}"
