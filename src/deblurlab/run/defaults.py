"""Fills the defaults of classes into a configuration.

A default stands in a YAML file or in the signature of a class, never in both. A configuration is complete, as a record
or for a comparison, only with both.
"""

import inspect
import pkgutil
import re
from collections.abc import Mapping
from typing import Any

# Only our own classes are imported: the configuration may be a stranger's.
_OURS = re.compile(r"deblurlab\.[a-z_]+\.[A-Za-z0-9_]+")


def with_defaults(config: Any) -> Any:
    """A copy of nested mappings and lists, in which every class of deblurlab has all its arguments.

    Args:
        config: Plain values without interpolations. A mapping with ``_target_`` names a class.

    Returns:
        The copy. Defaults that are not plain values are left out, and tuples become lists, as in a YAML file.
    """
    if isinstance(config, list | tuple):
        return [with_defaults(value) for value in config]
    if not isinstance(config, dict):
        return config
    given = {name: with_defaults(value) for name, value in config.items()}
    return _defaults(given.get("_target_")) | given


def comparable(config: Mapping[str, Any]) -> dict[str, Any]:
    """:func:`with_defaults` of a run's configuration, in which a square ``data.patch`` is its side: both are one patch.

    Args:
        config: Plain values without interpolations.
    """
    whole: dict[str, Any] = with_defaults(dict(config))
    data = whole.get("data")
    patch = data.get("patch") if isinstance(data, dict) else None
    if isinstance(patch, list) and len(patch) == 2 and patch[0] == patch[1]:
        whole["data"]["patch"] = patch[0]
    return whole


def _defaults(target: Any) -> dict[str, Any]:
    if not isinstance(target, str) or not _OURS.fullmatch(target):
        return {}
    try:
        parameters = inspect.signature(pkgutil.resolve_name(target)).parameters.values()
    except (ImportError, AttributeError, TypeError, ValueError):  # a class of another version, or not a class
        return {}
    defaults = {one.name: with_defaults(one.default) for one in parameters if one.default is not one.empty}
    return {name: value for name, value in defaults.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)
