"""Words of a command line without a key, for which Hydra's own error is unclear."""

from collections.abc import Sequence
from itertools import pairwise

from deblurlab.app.options import config_folders, takes_value
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
        if takes_value(before) or not _is_bare(word):
            continue
        options = ((folder, group) for group in _GROUPS for folder in config_folders(arguments))
        chosen = (group for folder, group in options if (folder / group / f"{word}.yaml").is_file())
        key = next(chosen, _MEANT[command][0])
        raise ValueError(f"{command} {word}: say {assignment(key, word)}. {command} --help lists all keys.")


def _is_bare(word: str) -> bool:
    return bool(word) and "=" not in word and not word.startswith(("-", "~"))


def example(command: str, key: str) -> str:
    """An example of a key that a command needs, as ``KEY=VALUE``, or as ``KEY=...`` without an example of its value."""
    meant, value = _MEANT[command]
    return f"{key}={value if key == meant else '...'}"
