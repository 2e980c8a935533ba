"""Reads metrics.csv, the record of a run's epochs, and says which way is up. Imports nothing heavy."""

import csv
from pathlib import Path

_MODES = {"val/ssim": "max", "val/psnr": "max", "val/loss": "min", "val/mse": "min", "val/mae": "min"}


def best_is(monitor: str) -> str:
    """Whether the best value of a monitored metric is its "max" or its "min".

    Raises:
        ValueError: if validation has no such metric.
    """
    if monitor not in _MODES:
        raise ValueError(f"monitor={monitor}: choose one of {', '.join(_MODES)}.")
    return _MODES[monitor]


def read_history(file: Path) -> list[dict[str, float]]:
    """The rows of a metrics.csv, one an epoch; empty cells are left out.

    Raises:
        ValueError: naming the file, if it is damaged.
    """
    if not file.exists():
        return []
    try:
        with file.open(newline="") as stream:
            return [{name: float(cell) for name, cell in row.items() if cell} for row in csv.DictReader(stream)]
    except (ValueError, TypeError, csv.Error) as error:
        raise ValueError(f"{file} is damaged: {error}.") from error
