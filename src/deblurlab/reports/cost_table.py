"""The report's table of what each network costs, and its list of runs."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from deblurlab.checks.words import three_digits
from deblurlab.reports.cells import Cell, Row, Table
from deblurlab.reports.groups import Group
from deblurlab.reports.reported_run import ReportedRun
from deblurlab.run.cost import Size
from deblurlab.run.history import total_seconds

_NOTE = (
    "Parameters are the restoring network's. Multiply-adds (MAC) are those of convolutions and matrix products; each "
    "counts as two FLOP. Images per second are the training images (of frames, their patches) of an epoch over its "
    "time, validation included; hours are those of one run, the mean over seeds."
)


def cost_table(groups: Sequence[Group], sizes: Mapping[str, Size], *, dollars_per_hour: float | None) -> Table:
    """Parameters and operations of each network; speed, time and price of its training.

    Args:
        groups: The groups of one table.
        sizes: The sizes of the networks that could be read, by the labels of their groups.
        dollars_per_hour: The price of an hour of training; None leaves out the column of prices.
    """
    heads = ["", "parameters", "kMAC per pixel", "GFLOP per image", "images/s", "hours so far or in all"]
    if dollars_per_hour is not None:
        heads.append(f"at ${dollars_per_hour:g} per hour")
    rows = []
    for group in groups:
        size = sizes.get(group.label)
        no_size = "not measured" if group.representative.checkpoint else "no checkpoint"
        cells = [
            Cell(f"{size.parameters:,}") if size else Cell(no_size, "gap"),
            Cell(three_digits(size.kmacs_per_pixel)) if size else Cell("", "gap"),
            Cell(f"{size.flops / 1e9:.3f}") if size else Cell("", "gap"),
        ]
        speeds = [speed for run in group.runs if (speed := _images_per_second(run))]
        gap = "not recorded" if any(run.history for run in group.runs) else "no epoch yet"
        cells.append(Cell(f"{sum(speeds) / len(speeds):,.0f}") if speeds else Cell(gap, "gap"))
        cells += _time_cells(group, dollars_per_hour)
        devices = dict.fromkeys(run.device for run in group.runs)
        rows.append(Row(group.label, cells, "on " + ", ".join(devices)))
    return Table(heads, [rows], [_NOTE])


def _time_cells(group: Group, dollars_per_hour: float | None) -> list[Cell]:
    """The mean hours of a group's runs and, if there is a price, what they cost."""
    seconds = total_seconds([row for run in group.runs for row in run.history])
    if seconds is None:
        return [Cell("not recorded", "gap"), *([Cell("", "gap")] if dollars_per_hour is not None else [])]
    hours = seconds / 3600 / len(group.runs)
    return [
        Cell(f"{hours:.2f}"),
        *([Cell(f"${hours * dollars_per_hour:.2f}")] if dollars_per_hour is not None else []),
    ]


def _images_per_second(run: ReportedRun) -> float | None:
    """The speed of the run's median epoch; None if no epoch has ended, or none with known batches and seconds."""
    speeds = [
        (row["batches"] - before["batches"]) * run.config.data.batch_size / row["seconds"]
        for before, row in pairwise([{"batches": 0.0}, *run.history])
        if "batches" in before and "batches" in row and row.get("seconds", 0) > 0
    ]
    return sorted(speeds)[len(speeds) // 2] if speeds else None


def run_table(runs: Sequence[ReportedRun]) -> Table:
    """The runs of the report: folder, data, network, seed and state."""
    rows = [
        Row(
            str(run.folder),
            [Cell(run.table), Cell(run.network_title), Cell(str(run.config.seed)), Cell(run.state)],
        )
        for run in runs
    ]
    return Table(["folder", "data", "network", "seed", "state"], [rows])
