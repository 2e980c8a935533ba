"""The files that a test leaves: metrics.json, and a CSV file with one row per image. Imports nothing heavy."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from deblurlab.files.whole_file import whole_file
from deblurlab.metrics.scores import COUNTS_OF_INFINITE
from deblurlab.run.run_folder import RunFolder


def summary(metrics: Mapping[str, Any], *, data: str, split: str) -> dict[str, Any]:
    """The content of metrics.json.

    Args:
        metrics: What a test logs: ``test/restored/NAME`` and ``test/blurred/NAME`` of each score, those that the test
            was given beside the table's among them, and the counts.
        data: The name of the data set.
        split: The split that was tested.
    """
    result: dict[str, Any] = {"data": data, "split": split, "images": int(metrics["test/restored/images"])}
    for version in ("restored", "blurred"):
        logged = {name: value for name, value in metrics.items() if name.startswith(f"test/{version}/")}
        means = {name.rpartition("/")[2]: float(value) for name, value in logged.items()}
        counts = {count: int(means.pop(count)) for count in ("images", *COUNTS_OF_INFINITE.values())}
        del counts["images"]
        result[version] = means | counts
    return result


def write_test(
    folder: RunFolder,
    *,
    data: str,
    metrics: Mapping[str, Any],
    per_image: Mapping[str, Sequence[float]],
    labels: Mapping[str, Sequence[Any]],
) -> dict[str, Any]:
    """Write what a test of the test set has found: the table per image, then metrics.json, with which it is finished.

    Args:
        folder: The folder of the run or of the evaluation.
        data: The name of the data set.
        metrics: What the test logged: see :func:`summary`.
        per_image: The scores of each image: see :func:`write_per_image`.
        labels: What the data module knows of each image.

    Returns:
        The content of metrics.json. Where the network estimates the sigma of a blur that is known, ``sigma_error`` is
        the mean over the images of the estimate's absolute error, in pixels.
    """
    result = summary(metrics, data=data, split="test")
    if "estimated_sigma" in per_image and "sigma" in labels:
        pairs = zip(per_image["estimated_sigma"], labels["sigma"], strict=False)  # a test may take a part of the images
        result["sigma_error"] = fmean(abs(estimated - true) for estimated, true in pairs)
    write_per_image(per_image, labels, folder.per_image_file)
    write(result, folder.scores_file)
    return result


def write(result: Mapping[str, Any], file: Path) -> None:
    """Write metrics.json, whole or not at all."""
    with whole_file(file) as partial:
        partial.write_text(json.dumps(result, indent=2) + "\n")


def write_per_image(scores: Mapping[str, Sequence[float]], labels: Mapping[str, Sequence[Any]], file: Path) -> None:
    """Write one row per image: its number, its labels, its scores.

    Args:
        scores: Columns such as ``restored_ssim``; their length is the number of rows.
        labels: What the data module knows of each image of the whole split, of which the test may have taken a part.
        file: The CSV file to write.
    """
    columns = {"image": range(len(next(iter(scores.values())))), **labels, **scores}
    with whole_file(file) as partial, partial.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=False))  # labels may go on where the scores end


def read_scores(file: Path) -> dict[str, Any]:
    """Read a metrics.json.

    Raises:
        ValueError: naming the file, if it is not there or damaged.
    """
    if not file.is_file():
        raise ValueError(f"{file} is not there: the run was not tested yet. Train it to its end, or evaluate it.")
    try:
        result: dict[str, Any] = json.loads(file.read_text())
        versions = [result[version] for version in ("restored", "blurred")]
        if not all(isinstance(score, int | float) for scores in versions for score in scores.values()):
            raise ValueError("a score is not a number")
        if not isinstance(result["images"], int):
            raise ValueError("images is not a number")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error!r}. Delete it: its run counts as untested.") from error
    return result


def read_per_image(file: Path) -> dict[str, list[Any]]:
    """Read what :func:`write_per_image` wrote.

    Returns:
        Column to values, one per image. Scores and ``sigma`` are float; other columns are int or float if all their
        cells are such numbers, else str.

    Raises:
        ValueError: naming the file, if it is not there or damaged.
    """
    if not file.is_file():
        raise ValueError(f"{file} is not there: the run was not tested yet. Train it to its end, or evaluate it.")
    try:
        with file.open(newline="") as stream:
            names, *rows = csv.reader(stream)
        return {name: _values(name, cells) for name, cells in zip(names, zip(*rows, strict=True), strict=True)}
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{file} is damaged: {error}. Delete it: its run has no scores per image then.") from error


def is_number_column(name: str) -> bool:
    """Whether a column of the table per image is a score, the sigma of the blur or its estimate: float in each row."""
    return name in ("sigma", "estimated_sigma") or name.startswith(("restored_", "blurred_"))


def _values(name: str, cells: Sequence[str]) -> list[Any]:
    if is_number_column(name):
        return [float(cell) for cell in cells]
    for kind in (int, float):
        try:
            return [kind(cell) for cell in cells]
        except ValueError:
            continue
    return list(cells)
