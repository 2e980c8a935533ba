"""Every argument of a class can be set on the command line; a name or a value that the class does not take is an error.

A configuration names classes by ``_target_``; the keys beside it are the class's arguments, and its signature is
their schema. By itself, Hydra sets a key only if a YAML file lists it, and needs ``+trainer.max_time=...`` for the
others. In the groups that are opened here, ``trainer.max_time=...`` is enough. Misspelt names, and text instead of a
number, are found by the signature before the class is built.
"""

import inspect
import pkgutil
from typing import Any, Literal

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from deblurlab.app.kinds import described, fits, shown
from deblurlab.app.suggestions import did_you_mean
from deblurlab.checks.command_line import assignment, quoted_assignment

GROUPS = ("data", "model", "trainer", "logger", "callbacks")
# The keys that Hydra's ``instantiate`` reads besides the arguments, and the types of their values.
_HYDRA_KEYS: dict[str, Any] = {
    "_target_": str,
    "_partial_": bool,
    "_recursive_": bool,
    "_convert_": Literal["none", "partial", "object", "all"],
    "_args_": list,
}
# Keys of earlier versions, with the keys that replaced them.
_RENAMED = {"model.generator_ckpt": "weights"}


def open_groups() -> None:
    """Store a configuration ``open_GROUP`` for each group. A command with it in its defaults accepts any key there.

    The stored node is empty and clears OmegaConf's struct flag, which refuses keys that no file lists.
    """
    for group in GROUPS:
        node = OmegaConf.create({group: OmegaConf.create({}, flags={"struct": False})})
        ConfigStore.instance().store(f"open_{group}", node)


def check_arguments(config: DictConfig, key: str, *, also: type | None = None) -> None:
    """Check the arguments of the class that ``config`` names, and of all classes below: their names and their types.

    Args:
        config: A configuration with ``_target_``.
        key: Its key on the command line, such as ``trainer``.
        also: A class whose arguments deblurlab itself reads from ``config``. Its annotation counts for an argument that
            both classes have.

    Raises:
        ValueError: If a class does not have an argument, or the value does not match the argument's annotation.
    """
    _check(OmegaConf.to_container(config), key, also)


def check_entries(group: DictConfig, key: str) -> None:
    """:func:`check_arguments` for a group in which each entry names a class; entries that are ``null`` are skipped.

    Raises:
        ValueError: If an argument or its value does not fit its class, or an entry does not name a class.
    """
    entries: Any = OmegaConf.to_container(group)
    if not isinstance(entries, dict):
        raise ValueError(f"{key}={shown(entries)}: {key} takes names of files in conf/{key}, such as {key}=default.")
    for name, entry in entries.items():
        if entry is None:
            continue
        _check_kind(f"{key}.{name}", entry, dict | None)
        if "_target_" not in entry:
            others = (f"{key}.{other}" for other in entries if other != name)
            raise ValueError(f"there is no {key}.{name} to override.{did_you_mean(f'{key}.{name}', others)}")
        _check(entry, f"{key}.{name}")


def _check(config: Any, key: str, also: type | None = None) -> None:
    """Check all classes in nested mappings and lists. ``also`` is a class whose arguments are allowed at the top."""
    if isinstance(config, list):
        for number, value in enumerate(config):
            _check(value, f"{key}.{number}")
    if isinstance(config, dict):
        taken = _parameters(config["_target_"]) if "_target_" in config else None
        if taken is not None and also is not None:
            taken |= _parameters(also) or {}
        for name in config:
            _check_argument(config, name, key, taken)
            _check(config[name], f"{key}.{name}")


def _check_argument(config: dict[Any, Any], name: Any, key: str, taken: dict[str, inspect.Parameter] | None) -> None:
    """Check one entry of a mapping at ``key``. Without ``taken``, the parameters of its class, any name is allowed."""
    path, value = f"{key}.{name}", config[name]
    if path in _RENAMED:
        raise ValueError(f"{path}={value}: this key is now {assignment(_RENAMED[path], value)}.")
    if name in _HYDRA_KEYS:
        _check_kind(path, value, _HYDRA_KEYS[name])
    elif taken is None:
        return
    elif name in taken:
        if value is not None or taken[name].default is not None:
            _check_kind(path, value, taken[name].annotation)
    elif all(parameter.kind is not parameter.VAR_KEYWORD for parameter in taken.values()):
        known = [f"{key}.{one}" for one in taken]
        hint = did_you_mean(path, known) or f" It takes {', '.join(known) or 'no arguments'}."
        raise ValueError(f"there is no {path}: {config['_target_']} does not take it.{hint}")


def _check_kind(path: str, value: Any, kind: Any) -> None:
    refers_to_another_key = isinstance(value, str) and "${" in value
    if not refers_to_another_key and not fits(value, kind):
        wanted = described(kind)
        hint = f" Quote it twice: {quoted_assignment(path, value)}." if "text" in wanted and fits(value, float) else ""
        raise ValueError(f"{path} must be {wanted}, got {shown(value)}.{hint}")


def _parameters(target: Any) -> dict[str, inspect.Parameter] | None:
    """The parameters of a class or function, given itself or by its path; None if it cannot be imported."""
    try:
        maker = pkgutil.resolve_name(target) if isinstance(target, str) else target
        try:
            return dict(inspect.signature(maker, eval_str=True).parameters)
        except NameError:  # an annotation that its module imports for type checkers only
            return dict(inspect.signature(maker).parameters)
    except Exception:  # an import may raise anything; building the object gives a better message
        return None
