"""The report's table of the tests of ``evaluate`` on other data, or with other settings."""

from collections import Counter
from collections.abc import Sequence

from deblurlab.checks.words import counted
from deblurlab.reports.cells import SCORE_HEADS, Cell, Row, Table, score_cells
from deblurlab.reports.groups import without_deviation
from deblurlab.reports.reported_run import ReportedRun, unique_end


def elsewhere_table(runs: Sequence[ReportedRun]) -> Table | None:
    """The scores of these tests; None if there are none.

    Runs with the same network and data set are distinguished by the ends of their folders. Each test set is a section:
    tests whose blurred images have the same scores.
    """
    test_sets: dict[tuple[Cell, ...], list[Row]] = {}
    titles = Counter((run.network_title, run.table) for run in runs)
    for run in runs:
        trained = f"{run.network_title} of {run.table}"
        if titles[run.network_title, run.table] > 1:
            trained += f" ({unique_end(run.folder, [other.folder for other in runs])})"
        for data, result in run.elsewhere.items():
            restored, blurred = (
                score_cells(without_deviation(result[version]), best={}, absent=Cell("", "gap"))
                for version in ("restored", "blurred")
            )
            note = counted(result["images"], "image") + (", tta" if result.get("tta") else "")
            note += f", window {result['window']}" if "window" in result else ""
            test_sets.setdefault(tuple(blurred), []).append(Row(f"{trained}, on {data}", restored, note))
    sections = [[*rows, Row("blurred input", blurred)] for blurred, rows in test_sets.items()]
    return Table(SCORE_HEADS, sections) if sections else None
