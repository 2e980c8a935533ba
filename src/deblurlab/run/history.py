"""Reads metrics.csv, the record of a run's epochs. Imports nothing heavy."""

import csv
from pathlib import Path


def read_history(file: Path) -> list[dict[str, float]]:
    """The rows of a metrics.csv, one per epoch, without their empty cells; no rows if there is no such file.

    Raises:
        ValueError: If the file is damaged; the message names it.
    """
    if not file.exists():
        return []
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            return [{name: float(cell) for name, cell in row.items() if cell} for row in csv.DictReader(stream)]
    except (ValueError, TypeError, csv.Error) as error:
        raise ValueError(f"{file} is damaged: {error}.") from error
