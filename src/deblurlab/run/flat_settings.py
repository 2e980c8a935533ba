"""Nested settings as flat ones with dotted keys, such as ``model.optimizer.lr``. Imports nothing heavy."""

from collections.abc import Iterable, Mapping
from typing import Any


def flat(settings: Any, prefix: str = "") -> dict[str, Any]:
    """The values of nested mappings by their dotted keys. Empty mappings are left out, and lists are values."""
    if not isinstance(settings, Mapping):
        return {prefix: settings}
    parts = (flat(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in settings.items())
    return {key: value for part in parts for key, value in part.items()}


def is_below(key: str, parents: Iterable[str]) -> bool:
    """Whether a dotted key is one of ``parents`` or below one of them."""
    return any(key == parent or key.startswith(f"{parent}.") for parent in parents)
