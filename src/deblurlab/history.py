"""Reads metrics.csv, the record of a run's epochs. Imports nothing heavy."""

import csv
from pathlib import Path


def read_history(file: Path) -> list[dict[str, float]]:
    """The rows of a metrics.csv, one an epoch; empty cells are left out."""
    if not file.exists():
        return []
    with file.open(newline="") as stream:
        return [{name: float(cell) for name, cell in row.items() if cell} for row in csv.DictReader(stream)]
