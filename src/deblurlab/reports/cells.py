"""The tables of the report, as texts with marks, from which HTML and Markdown are written."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from deblurlab.metrics.scores import SCORES, Score
from deblurlab.reports.groups import MeanAndDeviation

Mark = Literal["", "best", "gap", "better", "worse"]
RowKind = Literal["plain", "head", "ours", "study", "difference"]


@dataclass(frozen=True)
class Cell:
    """A cell's text and its mark; ``gap`` marks a missing value."""

    text: str
    mark: Mark = ""


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        title: The text of the first cell.
        cells: The other cells; none for the head of a section.
        note: A small text after the title.
        kind: The kind of row, by which it is styled.
    """

    title: str
    cells: Sequence[Cell]
    note: str = ""
    kind: RowKind = "plain"


@dataclass(frozen=True)
class Table:
    """A table of the report.

    Attributes:
        heads: The headings of the columns.
        sections: Groups of rows, such as a network's own scores, the study's, and the difference.
        notes: Sentences below the table.
    """

    heads: Sequence[str]
    sections: Sequence[Sequence[Row]]
    notes: Sequence[str] = field(default_factory=tuple)


# The study ranks networks by this score. If a network has no scores, this column says why.
RANKING = next(score for score in SCORES if score.name == "ssim")
SCORE_HEADS = ["", *(score.heading for score in SCORES)]


def best_values(candidates: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The best value of each score that at least two of the candidates have. NaN is no value."""
    best = {}
    for score in SCORES:
        found = [candidate.get(score.name, math.nan) for candidate in candidates]
        values = [value for value in found if not math.isnan(value)]
        if len(values) > 1:
            best[score.name] = min(values) if score.best == "min" else max(values)
    return best


def score_cells(
    scores: Mapping[str, MeanAndDeviation], *, best: Mapping[str, float], absent: Cell = Cell("")
) -> list[Cell]:
    """One cell per score of the table of scores.

    Args:
        scores: Means and standard deviations by name, in plain units.
        best: The values that are marked as the best, by name.
        absent: The cell for a missing score.
    """
    return [_score_cell(one, *scores[one.name], best.get(one.name)) if one.name in scores else absent for one in SCORES]


def _score_cell(score: Score, value: float, deviation: float | None, best: float | None) -> Cell:
    text = score.in_table(value)
    if deviation is not None:
        text += f" ± {score.in_table(deviation)}"
    return Cell(text, "best" if value == best else "")


def difference_cells(own: Mapping[str, float], other: Mapping[str, float]) -> list[Cell]:
    """One cell per score: ``own`` minus ``other``, marked by which is better; empty where one of them has no value."""
    return [
        _difference_cell(score, own[score.name], other[score.name]) if score.name in own.keys() & other else Cell("")
        for score in SCORES
    ]


def _difference_cell(score: Score, own: float, other: float) -> Cell:
    change = round((own - other) * score.factor, score.digits)
    worse = change > 0 if score.best == "min" else change < 0
    return Cell(f"{change:+.{score.digits}f}".replace("-", "−"), "" if not change else "worse" if worse else "better")


def gap_cells(reason: str) -> list[Cell]:
    """One gap per score, with the reason in the column of the score that ranks networks."""
    return [Cell(reason if score is RANKING else "", "gap") for score in SCORES]
