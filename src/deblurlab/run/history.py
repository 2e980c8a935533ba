"""Reads metrics.csv, the record of a run's epochs. Imports nothing heavy."""

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

log = logging.getLogger(__name__)


def read_history(file: Path) -> list[dict[str, float]]:
    """The rows of a metrics.csv, one per epoch, without their empty cells; no rows if there is no such file.

    Each row has its ``epoch``. Other columns may be missing, ``seconds`` too: other versions and programs have others.
    A last line without a line end is left out with a warning, because its last number may have lost digits.

    Raises:
        ValueError: If the file is damaged; the message names it.
    """
    if not file.exists():
        return []
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            text = stream.read()
        whole = text[: text.rfind("\n") + 1]
        if text != whole:
            log.warning(f"{file} is cut short: its last line is left out")
        rows = csv.DictReader(io.StringIO(whole, newline=""), strict=True)
        return [_numbers(row, rows.line_num) for row in rows]
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{file} is damaged: {error}.") from error


def _numbers(row: Mapping[str, str], line: int) -> dict[str, float]:
    if None in (*row, *row.values()):  # the keys and values that DictReader makes of cells too many and too few
        raise ValueError(f"line {line} and the first line differ in their number of cells")
    numbers = {name: float(cell) for name, cell in row.items() if cell}
    if "epoch" not in numbers:
        raise ValueError(f"line {line} has no epoch")
    return numbers


def total_seconds(history: Sequence[Mapping[str, float]]) -> float | None:
    """The seconds that all epochs took together; None if those of an epoch are unknown."""
    seconds = [row.get("seconds") for row in history]
    return None if None in seconds else sum(one for one in seconds if one is not None)
