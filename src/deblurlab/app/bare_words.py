"""A word on the command line without a key, such as ``restore photo.jpg``: Hydra's grammar would be the answer."""

from collections.abc import Sequence

# The key that a bare word is meant for, and an example of its value.
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


def refuse_bare_words(command: str, arguments: Sequence[str]) -> None:
    """Refuse words without a key.

    Args:
        command: The name of the command.
        arguments: The command line without the program's name.

    Raises:
        ValueError: naming the key that such a word is meant for.
    """
    for before, word in zip(("", *arguments), arguments, strict=False):
        of_an_option = before.startswith("-") and "=" not in before  # as in --config-dir my_conf
        if "=" in word or word.startswith(("-", "~")) or of_an_option or not word:
            continue
        value = f"'\"{word}\"'" if set(word) & set(" ,()[]{}'\"") else word
        raise ValueError(f"{command} {word}: say {_MEANT[command][0]}={value}. {command} --help lists all keys.")


def example(command: str, key: str) -> str:
    """``KEY=VALUE`` as an example of what a command needs; ``KEY=...`` where there is none."""
    meant, value = _MEANT[command]
    return f"{key}={value if key == meant else '...'}"
