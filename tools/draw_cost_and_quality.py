"""SSIM and PSNR on CIFAR-10's test set against what a network costs.

    python tools/draw_cost_and_quality.py docs/cost_and_quality.csv docs/cost_and_quality.png

Each line of the table is a network, who has measured it, the experiment that builds it, and its two scores. The
multiply-adds per pixel are counted here, for an image of 32x32 pixels.
"""

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from matplotlib.figure import Figure

import deblurlab
from deblurlab.app import build, command  # noqa: F401  # command lets Hydra find what the files refer to
from deblurlab.interfaces import Pair
from deblurlab.run.cost import measure_size

Row = Mapping[str, str]
_LOOKS = {"the study": {"marker": "o", "facecolor": "white"}, "deblurlab": {"marker": "D", "facecolor": "tab:orange"}}


def kmacs_per_pixel(experiment: str) -> float:
    """Thousands of multiply-adds for each pixel, of an experiment's network."""
    with initialize_config_dir(str(Path(deblurlab.__file__).with_name("conf")), version_base="1.3"):
        task = build.task(compose("train", ["run=.", f"experiment={experiment}"]))
    images = torch.rand(1, 3, 32, 32)
    return measure_size(task.eval(), Pair(images, images, torch.ones(1, dtype=torch.bool), (1, 1))).kmacs_per_pixel


def draw(rows: Sequence[Row], costs: Mapping[str, float]) -> Figure:
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    for axes, score, label in zip(figure.subplots(1, 2), ("ssim", "psnr"), ("SSIM", "PSNR [dB]"), strict=True):
        for measured_by, look in _LOOKS.items():
            chosen = [row for row in rows if row["measured_by"] == measured_by]
            x, y = [costs[row["experiment"]] for row in chosen], [float(row[score]) for row in chosen]
            axes.scatter(x, y, s=50, edgecolor="black", label=f"measured by {measured_by}", zorder=3, **look)
            for row, *place in zip(chosen, x, y, strict=True):
                above = 7 if measured_by == "deblurlab" else -17  # a network that both have measured has two labels
                axes.annotate(row["network"], place, xytext=(0, above), textcoords="offset points", ha="center", size=9)
        axes.set(xscale="log", xlabel="thousands of multiply-adds per pixel", ylabel=label)
        axes.margins(0.2)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def main(table: str, picture: str) -> None:
    with Path(table).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    costs = {experiment: kmacs_per_pixel(experiment) for experiment in dict.fromkeys(row["experiment"] for row in rows)}
    for row in rows:
        print(f"{row['network']}, {row['measured_by']}: {costs[row['experiment']]:.1f} kMAC per pixel")
    draw(rows, costs).savefig(picture, dpi=90)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
