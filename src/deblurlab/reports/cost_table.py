"""The report's table of what each network costs, and its list of runs."""

from collections.abc import Mapping, Sequence

from deblurlab.reports.cells import Cell, Row, Table
from deblurlab.reports.groups import Group
from deblurlab.reports.reported_run import ReportedRun
from deblurlab.run.cost import Size

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
        cells = [
            Cell(f"{size.parameters:,}") if size else Cell("no checkpoint", "gap"),
            Cell(f"{size.kmacs_per_pixel:.3g}") if size else Cell("", "gap"),
            Cell(f"{size.flops / 1e9:.3f}") if size else Cell("", "gap"),
        ]
        speeds = [speed for run in group.runs if (speed := _images_per_second(run))]
        cells.append(Cell(f"{sum(speeds) / len(speeds):,.0f}") if speeds else Cell("no epoch yet", "gap"))
        hours = sum(row["seconds"] for run in group.runs for row in run.history) / 3600 / len(group.runs)
        cells.append(Cell(f"{hours:.2f}"))
        if dollars_per_hour is not None:
            cells.append(Cell(f"${hours * dollars_per_hour:.2f}"))
        devices = dict.fromkeys(run.device for run in group.runs)
        rows.append(Row(group.label, cells, "on " + ", ".join(devices)))
    return Table(heads, [rows], [_NOTE])


def _images_per_second(run: ReportedRun) -> float | None:
    """The speed of the run's median epoch; None before its first epoch has ended."""
    batches = [0.0, *(row["batches"] for row in run.history if "batches" in row)]
    speeds = [
        (after - before) * run.config.data.batch_size / row["seconds"]
        for before, after, row in zip(batches, batches[1:], run.history, strict=False)
        if row["seconds"] > 0
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
