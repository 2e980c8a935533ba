"""Pictures of a run: curves over epochs and panels of images."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image
from torch import Tensor


def curves(rows: Sequence[Mapping[str, float]]) -> Figure:
    """Loss, SSIM and PSNR over epochs.

    Args:
        rows: one mapping an epoch with ``epoch`` and the logged names, e.g. ``val/ssim``. Names that are
            missing in a row leave a gap.
    """
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    drawings = (
        ("Loss", {"train/loss": "training", "val/loss": "validation"}),
        ("SSIM", {"val/ssim": "validation"}),
        ("PSNR [dB]", {"val/psnr": "validation"}),
    )
    epochs = [row["epoch"] for row in rows]
    for axes, (title, names) in zip(figure.subplots(1, 3), drawings, strict=True):
        for name, label in names.items():
            marker = "o" if len(rows) < 3 else ""
            axes.plot(epochs, [row.get(name, np.nan) for row in rows], marker=marker, label=label)
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    figure.axes[0].set_yscale("log")
    figure.axes[0].legend()
    return figure


def panel(columns: Mapping[str, Tensor], captions: Mapping[str, Sequence[str]] | None = None) -> Figure:
    """A row of pictures for each image, a column for each version of it.

    Args:
        columns: title to (N, 3, H, W) images in [0, 1] (clamped here), all of one shape.
        captions: title to N lines that stand under that column's pictures.
    """
    rows, _, height, width = next(iter(columns.values())).shape
    side = 2.0
    figure = Figure(
        figsize=(side * len(columns), side * (height / width + (0.18 if captions else 0.03)) * rows + 0.3),
        layout="constrained",
    )
    grid = figure.subplots(rows, len(columns), squeeze=False)
    for column, (title, images) in enumerate(columns.items()):
        pixels = (images.detach().float().cpu().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
        grid[0, column].set_title(title)
        for row in range(rows):
            axes = grid[row, column]
            axes.imshow(pixels[row], interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            if captions and title in captions:
                axes.set_xlabel(captions[title][row], fontsize=8, labelpad=2)
    return figure


def pixels(figure: Figure) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The drawn figure, (H, W, 3)."""
    with io.BytesIO() as stream:
        figure.savefig(stream, format="png", dpi=110)
        return np.asarray(Image.open(stream).convert("RGB"))


def save(figure: Figure, path: str | Path) -> None:
    """Write a PNG, whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    figure.savefig(partial, format="png", dpi=110)
    partial.replace(path)
