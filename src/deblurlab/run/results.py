"""The files that a test leaves: metrics.json, and a CSV file with one row per image. Imports nothing heavy."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from deblurlab.files.whole_file import whole_file, write_whole_json
from deblurlab.metrics.scores import count_of_infinite
from deblurlab.run.run_folder import RunFolder


def summary(metrics: Mapping[str, Any], *, data: str, split: str) -> dict[str, Any]:
    """The content of metrics.json.

    Args:
        metrics: The values that the test has logged: ``test/restored/NAME`` and ``test/blurred/NAME`` for each score,
            including further scores that are not in the table, and the counts.
        data: The name of the data set.
        split: The split that was tested.
    """
    result: dict[str, Any] = {"data": data, "split": split, "images": int(metrics["test/restored/images"])}
    for version in ("restored", "blurred"):
        logged = {name: value for name, value in metrics.items() if name.startswith(f"test/{version}/")}
        values = {name.rpartition("/")[2]: float(value) for name, value in logged.items()}
        del values["images"]
        counts = {count: int(values.pop(count)) for count in map(count_of_infinite, list(values)) if count in values}
        result[version] = values | counts
    return result


def write_test(
    folder: RunFolder,
    *,
    data: str,
    metrics: Mapping[str, Any],
    per_image: Mapping[str, Sequence[float]],
    labels: Mapping[str, Sequence[Any]],
    tta: bool = False,
    window: int | None = None,
) -> dict[str, Any]:
    """Write the results of a test: the table per image, then metrics.json, which marks the run as finished.

    Args:
        folder: The folder of the run or of the evaluation.
        data: The name of the data set.
        metrics: The values that the test has logged: see :func:`summary`.
        per_image: The scores of each image: see :func:`write_per_image`.
        labels: The data module's labels of each image.
        tta: Whether the restored images are averages over flips and rotations; if so, the result says it.
        window: The side of the window for the network's means, in pixels, which the result then says; None if the
            network has been tested as it was trained.

    Returns:
        The content of metrics.json. ``all_images`` is the number of images in the whole test set, of which the test may
        have used a part. If the network estimates the blur and the true sigma is known, ``sigma_error`` is the mean
        absolute error of the estimate over the images, in pixels.
    """
    result = summary(metrics, data=data, split="test")
    if labels:
        result["all_images"] = len(next(iter(labels.values())))
    if "estimated_sigma" in per_image and "sigma" in labels:
        pairs = zip(per_image["estimated_sigma"], labels["sigma"], strict=False)  # a test may take a part of the images
        result["sigma_error"] = fmean(abs(estimated - true) for estimated, true in pairs)
    if tta:
        result["tta"] = True
    if window is not None:
        result["window"] = window
    write_per_image(per_image, labels, folder.per_image_file)
    write_whole_json(folder.scores_file, result)
    return result


def write_per_image(scores: Mapping[str, Sequence[float]], labels: Mapping[str, Sequence[Any]], file: Path) -> None:
    """Write one row per image: its number, its labels, its scores.

    Args:
        scores: Columns such as ``restored_ssim``; their length is the number of rows.
        labels: The data module's labels of each image of the split, which may be more images than the test used.
        file: The CSV file to write.
    """
    columns = {"image": range(len(next(iter(scores.values())))), **labels, **scores}
    with whole_file(file) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=False))  # there may be more labels than scores


def read_scores(file: Path) -> dict[str, Any]:
    """Read a metrics.json.

    Raises:
        ValueError: If it is missing or damaged; the message names the file.
    """
    if not file.is_file():
        raise ValueError(f"{file} is not there: the run was not tested yet. Train it to its end, or evaluate it.")
    try:
        result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        versions = [result[version] for version in ("restored", "blurred")]
        if not all(isinstance(score, int | float) for scores in versions for score in scores.values()):
            raise ValueError("a score is not a number")
        if not isinstance(result["images"], int):
            raise ValueError("images is not a number")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error!r}. Delete it: its run counts as untested.") from error
    return result


def read_per_image(file: Path) -> dict[str, list[Any]]:
    """Read a table that :func:`write_per_image` has written.

    Returns:
        The columns by name, each with one value per image. Scores and ``sigma`` are float; other columns are int or
        float if all their cells are as Python writes such numbers, and str otherwise: of frames that are called 09 and
        10, both are str. ``frame`` is always str.

    Raises:
        ValueError: If it is missing or damaged; the message names the file.
    """
    if not file.is_file():
        raise ValueError(f"{file} is not there: the run was not tested yet. Train it to its end, or evaluate it.")
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            names, *rows = csv.reader(stream)
        return {name: _values(name, cells) for name, cells in zip(names, zip(*rows, strict=True), strict=True)}
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{file} is damaged: {error}. Delete it: its run has no scores per image then.") from error


def is_number_column(name: str) -> bool:
    """Whether a column of the table per image holds floats: a score, the sigma of the blur, or its estimate."""
    return name in ("sigma", "estimated_sigma") or name.startswith(("restored_", "blurred_"))


def _values(name: str, cells: Sequence[str]) -> list[Any]:
    if is_number_column(name):
        return [float(cell) for cell in cells]
    for kind in (int, float) if name != "frame" else ():
        try:
            numbers = [kind(cell) for cell in cells]
        except ValueError:
            continue
        if [str(number) for number in numbers] == list(cells):  # 09 and 1_000 are names
            return numbers
    return list(cells)
