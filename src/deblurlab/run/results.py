"""What is left of a test: metrics.json, a row an image, a panel of extremes, the study's table row."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deblurlab.files.whole_file import whole_file
from deblurlab.interfaces import Evaluable
from deblurlab.metrics.scores import COUNTS_OF_INFINITE, SCORES
from deblurlab.run import figures
from deblurlab.tasks.restoration import Restoration


def summary(metrics: Mapping[str, Any], *, data: str, split: str) -> dict[str, Any]:
    """What metrics.json holds, from the logged metrics ``test/restored/...`` and ``test/blurred/...``."""
    result: dict[str, Any] = {"data": data, "split": split, "images": int(metrics["test/restored/images"])}
    for version in ("restored", "blurred"):
        means = {score.name: float(metrics[f"test/{version}/{score.name}"]) for score in SCORES}
        counts = {count: int(metrics[f"test/{version}/{count}"]) for count in COUNTS_OF_INFINITE.values()}
        result[version] = means | counts
    return result


def write(result: Mapping[str, Any], file: Path) -> None:
    """Write metrics.json, whole or not at all."""
    with whole_file(file) as partial:
        partial.write_text(json.dumps(result, indent=2) + "\n")


def write_per_image(scores: Mapping[str, Sequence[float]], labels: Mapping[str, Sequence[Any]], file: Path) -> None:
    """Write a row an image: its number, its labels, its scores."""
    columns = {"image": range(len(next(iter(scores.values())))), **labels, **scores}
    with whole_file(file) as partial, partial.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        # labels cover the whole split, scores end earlier where the test was limited
        writer.writerows(zip(*columns.values(), strict=False))


def draw_extremes(scores: Mapping[str, Sequence[float]], task: Restoration, data: Evaluable, file: Path) -> None:
    """Draw the two images that gain most SSIM over their blurred version, the two in the middle, the two worst."""
    gain = [after - before for after, before in zip(scores["restored_ssim"], scores["blurred_ssim"], strict=True)]
    order = sorted(range(len(gain)), key=gain.__getitem__, reverse=True)
    middle = len(order) // 2
    rows = list(dict.fromkeys(order[:2] + order[max(0, middle - 1) : middle + 1] + order[-2:]))
    pair = data.examples("test", rows)
    with torch.inference_mode():
        restored = task.eval().restore_whole(pair)

    def captions(version: str) -> list[str]:
        return [f"SSIM {scores[version + '_ssim'][row]:.3f}, {scores[version + '_psnr'][row]:.1f} dB" for row in rows]

    draw = figures.panel if pair.grid == (1, 1) else figures.frame_panel
    figure = draw(
        {"Blurred": pair.blurred, "Restored": restored, "Sharp": pair.sharp},
        captions={"Blurred": captions("blurred"), "Restored": captions("restored")},
    )
    figures.save(figure, file)


def show(result: Mapping[str, Any], model: str) -> None:
    """Print the study's table row of ``model`` above the blurred baseline."""
    table = Table(
        title=escape(f"{result['data']}, {result['split']} set, {result['images']:,} images"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("")
    for score in SCORES:
        table.add_column(escape(score.heading), justify="right")  # rich would take [dB] for markup
    for label, version in ((model, "restored"), ("blurred", "blurred")):
        table.add_row(escape(label), *(score.in_table(result[version][score.name]) for score in SCORES))
    console = Console(width=None if sys.stdout.isatty() else 160)  # a file or a pipe has room for further scores
    console.print(table)
    for score in SCORES:
        if (count := COUNTS_OF_INFINITE.get(score.name)) is None:
            continue
        restored, blurred = result["restored"][count], result["blurred"][count]
        if restored or blurred:
            console.print(f"{score.title} leaves out images without any error: {restored} restored, {blurred} blurred.")
