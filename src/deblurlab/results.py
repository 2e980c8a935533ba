"""The scores of a test: metrics.json and the study's table row."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

# Column title, key, factor and digits: the study's units.
_COLUMNS = (
    ("Loss [1e-4]", "loss", 1e4, 3),
    ("SSIM", "ssim", 1, 4),
    ("PSNR [dB]", "psnr", 1, 2),
    ("MSE [1e-3]", "mse", 1e3, 3),
    ("MAE [1e-2]", "mae", 1e2, 3),
)


def summary(metrics: Mapping[str, Any], *, data: str, split: str) -> dict[str, Any]:
    """What metrics.json holds, from the logged metrics ``test/restored/...`` and ``test/blurred/...``."""
    result: dict[str, Any] = {"data": data, "split": split, "images": int(metrics["test/restored/images"])}
    for version in ("restored", "blurred"):
        result[version] = {key: float(metrics[f"test/{version}/{key}"]) for _, key, *_ in _COLUMNS}
        result[version]["infinite_psnr"] = int(metrics[f"test/{version}/infinite_psnr"])
    return result


def write(result: Mapping[str, Any], file: Path) -> None:
    """Write metrics.json, whole or not at all."""
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(json.dumps(result, indent=2) + "\n")
    partial.replace(file)


def show(result: Mapping[str, Any], model: str) -> None:
    """Print the study's table row of ``model`` above the blurred baseline."""
    table = Table(
        title=f"{result['data']}, {result['split']} set, {result['images']:,} images",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("")
    for title, *_ in _COLUMNS:
        table.add_column(title, justify="right")
    for label, version in ((model, "restored"), ("blurred", "blurred")):
        scores = result[version]
        table.add_row(label, *(f"{scores[key] * factor:.{digits}f}" for _, key, factor, digits in _COLUMNS))
    console = Console()
    console.print(table)
    perfect = {version: result[version]["infinite_psnr"] for version in ("restored", "blurred")}
    if any(perfect.values()):
        console.print(
            "PSNR leaves out images without any error: {restored} restored, {blurred} blurred.".format(**perfect)
        )
