"""What is left of a test: metrics.json, a row an image, a panel of extremes, the study's table row."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deblurlab.files.whole_file import whole_file
from deblurlab.interfaces import Evaluable
from deblurlab.run import figures
from deblurlab.tasks.restoration import Restoration


class Column(NamedTuple):
    """A score in the study's units: how its table heads, scales and rounds it."""

    title: str
    key: str
    factor: float
    digits: int


COLUMNS = (
    Column("Loss [1e-4]", "loss", 1e4, 3),
    Column("SSIM", "ssim", 1, 4),
    Column("PSNR [dB]", "psnr", 1, 2),
    Column("MSE [1e-3]", "mse", 1e3, 3),
    Column("MAE [1e-2]", "mae", 1e2, 3),
)


def summary(metrics: Mapping[str, Any], *, data: str, split: str) -> dict[str, Any]:
    """What metrics.json holds, from the logged metrics ``test/restored/...`` and ``test/blurred/...``."""
    result: dict[str, Any] = {"data": data, "split": split, "images": int(metrics["test/restored/images"])}
    for version in ("restored", "blurred"):
        result[version] = {key: float(metrics[f"test/{version}/{key}"]) for _, key, *_ in COLUMNS}
        result[version]["infinite_psnr"] = int(metrics[f"test/{version}/infinite_psnr"])
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
    for title, *_ in COLUMNS:
        table.add_column(escape(title), justify="right")  # [dB] would be markup
    for label, version in ((model, "restored"), ("blurred", "blurred")):
        scores = result[version]
        table.add_row(escape(label), *(f"{scores[key] * factor:.{digits}f}" for _, key, factor, digits in COLUMNS))
    console = Console()
    console.print(table)
    perfect = {version: result[version]["infinite_psnr"] for version in ("restored", "blurred")}
    if any(perfect.values()):
        console.print(
            "PSNR leaves out images without any error: {restored} restored, {blurred} blurred.".format(**perfect)
        )
