"""Every argument of a class can be set on the command line, and one that the class does not take is refused.

A configuration names classes by ``_target_``; the keys beside it are the class's arguments, and its signature is
their schema. By itself Hydra sets a key only where a YAML file lists it, and wants ``+trainer.max_time=...`` for the
others. Below a group that is opened here, ``trainer.max_time=...`` is enough. What is misspelt meets the signature,
before the class is built.
"""

import inspect
import pkgutil
from collections.abc import Collection
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from deblurlab.app.suggestions import did_you_mean

GROUPS = ("data", "model", "trainer", "logger", "callbacks")
_HYDRA_KEYS = {"_target_", "_partial_", "_convert_", "_recursive_", "_args_"}
# Keys of earlier versions, and the key that does the same now.
_RENAMED = {"model.generator_ckpt": "weights"}


def open_groups() -> None:
    """Store a configuration ``open_GROUP`` for each group; a command that lists it in its defaults takes any key there.

    The stored node is empty and lifts OmegaConf's struct flag, which is what refuses keys that no file lists.
    """
    for group in GROUPS:
        node = OmegaConf.create({group: OmegaConf.create({}, flags={"struct": False})})
        ConfigStore.instance().store(f"open_{group}", node)


def refuse_unknown(config: DictConfig, key: str, *, also: Collection[str] = ()) -> None:
    """Refuse the arguments that no class takes, in what is built from ``config`` and in everything below it.

    Args:
        config: A configuration with ``_target_``.
        key: Its key on the command line, such as ``trainer``.
        also: Keys beside the class's arguments that deblurlab itself takes there.

    Raises:
        ValueError: if a class does not take an argument.
    """
    _refuse(OmegaConf.to_container(config), key, also)


def refuse_unknown_entries(group: DictConfig, key: str) -> None:
    """:func:`refuse_unknown` for a group whose entries each name a class; an entry of ``null`` is switched off.

    Raises:
        ValueError: if a class does not take an argument, or an entry names no class.
    """
    entries: Any = OmegaConf.to_container(group)
    for name, entry in entries.items():
        if entry is not None and "_target_" not in entry:
            others = (f"{key}.{other}" for other in entries if other != name)
            raise ValueError(f"there is no {key}.{name} to override.{did_you_mean(f'{key}.{name}', others)}")
        _refuse(entry, f"{key}.{name}")


def _refuse(config: Any, key: str, also: Collection[str] = ()) -> None:
    if not isinstance(config, dict):
        return
    taken = _parameters(config["_target_"]) if "_target_" in config else None
    for name, value in config.items():
        path = f"{key}.{name}"
        if path in _RENAMED:
            raise ValueError(f"{path}={value}: this key is now {_RENAMED[path]}={value}.")
        if taken is not None and name not in {*taken, *also, *_HYDRA_KEYS}:
            known = [f"{key}.{one}" for one in (*taken, *also)]
            hint = did_you_mean(path, known) or f" It takes {', '.join(known) or 'no arguments'}."
            raise ValueError(f"there is no {path}: {config['_target_']} does not take it.{hint}")
        _refuse(value, path)


def _parameters(target: str) -> list[str] | None:
    """The arguments that a class or function takes; None if it takes any, or cannot be imported."""
    try:
        parameters = inspect.signature(pkgutil.resolve_name(target)).parameters.values()
    except (ImportError, AttributeError, ValueError, TypeError):  # building it says what is wrong
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return [parameter.name for parameter in parameters]
