"""The scores of a test on the terminal, in the units of the study's tables."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from deblurlab.checks.console import table_console
from deblurlab.checks.words import counted
from deblurlab.metrics.scores import SCORES, Score, count_of_infinite, further_scores, heading

_INFINITE_FOR_EQUAL = ("psnr", "aligned_psnr")


def print_result(result: Mapping[str, Any], *, model: str, precision: str, stored: bool = False) -> str:
    """Print a table with one row for the restored images and one for the blurred ones.

    Args:
        result: The content of metrics.json.
        model: The title of the restored images' row.
        precision: The precision in which the network computed, such as "bf16-mixed".
        stored: Whether the restored images are pictures that another program has stored.

    Returns:
        The text that was printed.
    """
    images, everything = result["images"], result.get("all_images", result["images"])
    number = counted(images, "image") if images == everything else f"{images:,} of {counted(everything, 'image')}"
    table = Table(
        title=escape(f"{result['data']}, {result['split']} set, {number}, {precision}"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("")
    for score in SCORES:
        table.add_column(escape(score.heading), justify="right")  # rich would take [dB] for markup
    for label, version in ((model, "restored"), ("blurred", "blurred")):
        table.add_row(escape(label), *(score.in_table(result[version][score.name]) for score in SCORES))
    console = table_console(record=True)
    console.print(table)
    titles = {score.name: score.title for score in SCORES}
    for name in (*titles, *further_scores(result["restored"])):
        restored, blurred = (result[version].get(count_of_infinite(name), 0) for version in ("restored", "blurred"))
        if restored or blurred:
            left_out = "images without any error" if name in _INFINITE_FOR_EQUAL else "images with an infinite value"
            console.print(
                escape(f"{titles.get(name, name)} leaves out {left_out}: {restored} restored, {blurred} blurred.")
            )
    if all(_is_worse(result, score) for score in SCORES if score.headline):
        console.print(
            "By these scores the pictures are worse than the blurred ones: they may be of other images, or moved."
            if stored
            else "By these scores the network makes the images worse: it needs more training, or was trained on other "
            "blur."
        )
    for name in further_scores(result["restored"]):
        restored, blurred = (result[version][name] for version in ("restored", "blurred"))
        console.print(escape(f"{heading(name)}: {restored:.4f}; blurred {blurred:.4f}"))
    if "sigma_error" in result:
        console.print(f"The estimated sigma of the blur is off by {result['sigma_error']:.3f} pixels on average.")
    return console.export_text()


def _is_worse(result: Mapping[str, Any], score: Score) -> bool:
    """Whether the restored images have a worse score than the blurred ones."""
    restored, blurred = result["restored"][score.name], result["blurred"][score.name]
    return bool(restored < blurred if score.best == "max" else restored > blurred)
