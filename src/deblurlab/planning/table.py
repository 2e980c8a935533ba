"""The table that ``plan`` prints."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from deblurlab.checks.console import table_console
from deblurlab.planning.estimate import Estimate


def show(steps: Sequence[Estimate], *, epochs: int, images: int) -> None:
    """Print estimates side by side, one column per slice.

    Args:
        steps: The estimates.
        epochs: Epochs of the training whose hours are shown.
        images: Images in the training set.
    """
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("per core and step")
    for step in steps:
        table.add_column(step.topology.name, justify="right")

    def row(title: str, *cells: str) -> None:
        table.add_row(title, *cells)

    row("images", *(f"{step.batch}" for step in steps))
    row("useful GFLOP", *(f"{step.useful_flops / 1e9:.1f}" for step in steps))
    row("executed GFLOP, with the zeros of folded kernels", *(f"{step.cost.flops / 1e9:.1f}" for step in steps))
    row("HBM traffic, GB", *(f"{step.cost.hbm_bytes / 1e9:.2f}" for step in steps))
    row(
        "peak memory of HBM",
        *(f"{s.cost.memory_bytes / 1e6:.0f} MB of {s.topology.chip.memory / 1e9:.1f} GB" for s in steps),
    )
    row("all-reduces", *(f"{step.cost.all_reduces}" for step in steps))
    row("all-reduced, MB", *(f"{step.cost.all_reduce_bytes / 1e6:.2f}" for step in steps))
    row("estimated cycles, millions", *(f"{step.cost.cycles / 1e6:.2f}" for step in steps))
    row("computation, ms", *(f"{step.core_seconds * 1e3:.2f}" for step in steps))
    row("communication, ms", *(f"{step.wire_seconds * 1e3:.2f}" for step in steps))
    row("step, ms", *(f"{step.seconds * 1e3:.2f}" for step in steps))
    row("bound by useful FLOP/s or HBM, ms", *(f"{step.bound_seconds * 1e3:.2f}" for step in steps))
    row("bound / step", *(f"{step.bound_seconds / step.seconds:.2f}" for step in steps))
    table.add_section()
    row("images per second, all cores", *(f"{step.images_per_second:,.0f}" for step in steps))
    row(f"hours for {epochs} epochs", *(f"{epochs * images / s.images_per_second / 3600:.3f}" for s in steps))
    table_console().print(table)
