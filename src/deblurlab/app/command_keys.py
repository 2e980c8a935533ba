"""The keys of a command that are not groups: the type of each is that of its value in the command's YAML file."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_origin

from omegaconf import DictConfig, OmegaConf

from deblurlab.app.bare_words import example
from deblurlab.app.kinds import described, fits, shown
from deblurlab.checks import require
from deblurlab.run.names import CONF

_PLAIN = (bool, int, float, str)
# The types of the keys for which a file has null or ???, and of those that take a list.
_OPEN: dict[str, Any] = {
    **dict.fromkeys(("ckpt_path", "json", "name", "out", "rerun", "restored", "root", "run", "weights"), str | None),
    "input": str,
    **dict.fromkeys(("window", "quality", "memory", "tile", "margin", "blend"), int | None),
    "dollars_per_hour": float | None,
    "fps": float | None,
    "roots": Mapping | None,
    "search": Mapping | None,
    "runs": str | list[str],
    "topology": str | list[str],
    "trust": str | list[str],
    "frames": list[int],
    "metrics": list[str],
    "size": list[int],
}


def check_keys(cfg: DictConfig, command: str) -> None:
    """Refuse a value of the wrong type: text or null for a number, or a number for true or false.

    A number for a key that takes text becomes text in ``cfg``, since a folder may be called 2024.

    Args:
        cfg: The command's configuration.
        command: The name of the command and of its YAML file.

    Raises:
        ValueError: If a value has the wrong type, or a mandatory one is missing.
    """
    keys = _own_keys(command)
    missing = [key for key in keys if OmegaConf.is_missing(cfg, key)]
    for key, usual in keys.items():
        if key in missing:
            continue
        kind = type(usual) if isinstance(usual, _PLAIN) and usual != "???" else _OPEN[key]
        value = OmegaConf.to_container(cfg[key]) if OmegaConf.is_config(cfg[key]) else cfg[key]
        if fits("", kind) and fits(value, float):
            cfg[key] = str(value)
        elif not fits(value, kind):
            raise ValueError(f"{key} must be {described(kind)}, got {shown(value)}.")
        if key == "seed":
            require.whole_number(key, value, at_least=0, at_most=2**32 - 1)  # what numpy takes
    if missing:
        raise ValueError(f"{command} needs {example(command, missing[0])}; {command} --help says what it takes.")


def with_lists(arguments: Sequence[str], command: str) -> list[str]:
    """The overrides with ``frames=[7,9,11]`` instead of ``frames=7,9,11``, for keys that take lists only.

    In a multirun, commas keep their meaning for Hydra: one job for each value.
    """
    if {"-m", "--multirun"} & set(arguments):
        return list(arguments)
    lists = {key for key in _own_keys(command) if get_origin(_OPEN.get(key)) is list}
    parts = [argument.partition("=") for argument in arguments]
    return [
        f"{key}=[{value}]" if key in lists and value and value[0] not in "[$" else f"{key}{sign}{value}"
        for key, sign, value in parts
    ]


@cache
def _own_keys(command: str) -> dict[str, Any]:
    """The keys in the command's file with their values, without the groups."""
    keys = OmegaConf.to_container(OmegaConf.load(CONF / f"{command}.yaml"))
    assert isinstance(keys, dict)
    return {str(key): value for key, value in keys.items() if key != "defaults" and not isinstance(value, dict)}
