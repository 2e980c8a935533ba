"""Checks whether a value of a configuration fits the type annotation of an argument."""

import enum
import inspect
import os
import types
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

_SCALARS: dict[Any, tuple[type, ...]] = {bool: (bool,), int: (int,), float: (int, float), str: (str,)}
_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text", type(None): "null"}
_OBJECT = "keys with a _target_"
_LISTS = (list, tuple, set, frozenset, Sequence, Iterable, Collection)


def fits(value: Any, kind: Any) -> bool:
    """Whether ``value`` fits the annotation ``kind``.

    Args:
        value: A plain value: text, a number, a list, a mapping, ... A mapping with ``_target_`` stands for an object,
            and fits any annotation.
        kind: An annotation. A missing one, or one of a type that YAML cannot express, allows anything.
    """
    if kind in (Any, inspect.Parameter.empty) or (isinstance(value, Mapping) and "_target_" in value):
        return True
    origin, inner = get_origin(kind), get_args(kind)
    if kind in _SCALARS:
        return isinstance(value, _SCALARS[kind]) and isinstance(value, bool) == (kind is bool) and not _huge(value)
    if kind in (None, type(None)):
        return value is None
    if origin is Literal:
        return any(value == one and type(value) is type(one) for one in inner)
    if origin in (Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if (origin or kind) in _LISTS:
        return isinstance(value, list) and _items_fit(value, kind)
    if (origin or kind) in (dict, Mapping):
        return isinstance(value, Mapping)
    if origin is Callable or isinstance(kind, type):
        return _object_fits(value, kind)
    return True


def _huge(value: Any) -> bool:
    """Whether a value is a whole number of more than 64 bits, which no tensor and no counter can hold."""
    return isinstance(value, int) and abs(value) >= 2**63


def _items_fit(values: Sequence[Any], kind: Any) -> bool:
    inner = get_args(kind)
    if get_origin(kind) is tuple and inner[-1:] != (...,):
        return len(values) == len(inner) and all(map(fits, values, inner))
    return not inner or all(fits(value, inner[0]) for value in values)


def _object_fits(value: Any, kind: Any) -> bool:
    """Whether a value without ``_target_`` can become an instance of a class, or a function: a path or an enum can."""
    if isinstance(kind, type) and issubclass(kind, os.PathLike):
        return isinstance(value, str)
    return kind is object or (isinstance(kind, type) and issubclass(kind, enum.Enum))


def described(kind: Any) -> str:
    """An annotation in the words of an error, such as "a whole number or null"."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is None or kind in _NAMES:
        return _NAMES[type(None) if kind is None else kind]
    if origin is Literal:
        return " or ".join(map(str, inner))
    if origin in (Union, types.UnionType):
        names = dict.fromkeys(described(one) for one in inner if not (one is int and float in inner))
        plain = [name for name in names if name != _OBJECT]  # of "a number or a tensor", users need the number only
        return " or ".join(names if plain in ([], ["null"]) else plain)
    if origin is tuple and inner[-1:] != (...,):
        return f"a list of {len(inner)}, each {' or '.join(dict.fromkeys(map(described, inner)))}"
    if (origin or kind) in _LISTS:
        return f"a list, each item {described(inner[0])}" if inner else "a list"
    if (origin or kind) in (dict, Mapping):
        return "a mapping"
    if isinstance(kind, type) and issubclass(kind, os.PathLike):
        return "text"
    return _OBJECT


def shown(value: Any) -> str:
    """A value as an error shows it. Text is quoted: "5" is not a number."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if _huge(value):
        return "one of more than 64 bits"
    return f'"{value}"' if isinstance(value, str) else str(value)
