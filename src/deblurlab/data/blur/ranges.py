"""Ranges that numbers are drawn from."""

from collections.abc import Sequence

import numpy as np


def require_range(name: str, given: Sequence[float], *, least: float, most: float) -> tuple[float, float]:
    """Check a range, and return its smallest and its largest value.

    Args:
        name: The setting as the user writes it, say "data.blur.photons".
        given: The value of the setting.
        least: The smallest value that is allowed.
        most: The largest value that is allowed; infinity if there is none.

    Raises:
        ValueError: If it is not a range, or exceeds the limits.
    """
    if len(given) != 2 or not least <= given[0] <= given[1] <= most or given[1] == np.inf:
        limits = f"from {least:g} on" if most == np.inf else f"between {least:g} and {most:g}"
        raise ValueError(f"{name} is the smallest and the largest value, {limits}, got {list(given)}.")
    return float(given[0]), float(given[1])


def log_uniform(ends: tuple[float, float], rng: np.random.Generator) -> float:
    """A number between two positive ends, drawn evenly on a logarithmic scale."""
    return float(np.exp(rng.uniform(*np.log(ends))))
