"""The report's tables, as text and what is to be marked in it; HTML and Markdown are written from the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from deblurlab.metrics.scores import SCORES, Score
from deblurlab.reports.collect import Group, ReportedRun
from deblurlab.reports.measure import Size
from deblurlab.reports.study import TITLES, study_scores

Mark = Literal["", "best", "gap", "better", "worse"]
Scores = Mapping[str, tuple[float, float | None]]


@dataclass(frozen=True)
class Cell:
    text: str
    mark: Mark = ""


@dataclass(frozen=True)
class Row:
    """A table's row; ``kind`` is ours, study, difference or plain; ``note`` stands small beside the title."""

    title: str
    cells: Sequence[Cell]
    note: str = ""
    kind: str = "plain"


@dataclass(frozen=True)
class Table:
    """``sections`` are rows that belong together: a network's own scores, the study's, and the difference."""

    heads: Sequence[str]
    sections: Sequence[Sequence[Row]]
    notes: Sequence[str] = field(default_factory=tuple)


def _best(candidates: Sequence[Mapping[str, float]], column: Score) -> float | None:
    values = [scores[column.name] for scores in candidates if column.name in scores]
    if len(values) < 2:
        return None
    return min(values) if column.best == "min" else max(values)


def _cell(column: Score, value: float, deviation: float | None, best: float | None) -> Cell:
    text = column.in_table(value)
    if deviation is not None:
        text += f" ± {column.in_table(deviation)}"
    return Cell(text, "best" if value == best else "")


def _difference(column: Score, own: float, other: float) -> Cell:
    change = round((own - other) * column.factor, column.digits)
    worse = change > 0 if column.best == "min" else change < 0
    return Cell(f"{change:+.{column.digits}f}".replace("-", "−"), "" if not change else "worse" if worse else "better")


def _without_deviation(scores: Scores) -> Scores:
    """For the blurred images, which are the same whatever the seed."""
    return {key: (mean, None) for key, (mean, _) in scores.items()}


def _means(scores: Scores) -> dict[str, float]:
    return {key: mean for key, (mean, _) in scores.items()}


def score_table(title: str, groups: Sequence[Group]) -> Table:
    """Our test scores beside the study's and the blurred input's, for every network that either has.

    The best score of each column is marked, ours and the study's apart. Runs that took a part of the test set
    compete neither for that nor with the study.
    """
    study = study_scores(title)
    whole = [group for group in groups if group.tested and group.whole_test]
    own = {id(group): group.scores("restored") for group in groups}
    best = {column.name: _best([_means(own[id(group)]) for group in whole], column) for column in SCORES}
    study_best = {
        column.name: _best([scores for name, scores in study.items() if name != "blurred"], column) for column in SCORES
    }
    sections = []
    partial = False
    for network in dict.fromkeys((*study, *(group.model for group in groups), "blurred")):
        rows: list[Row] = []
        reference = study.get(network, {})
        if reference:
            cells = [
                _cell(column, reference[column.name], None, None if network == "blurred" else study_best[column.name])
                if column.name in reference
                else Cell("")
                for column in SCORES
            ]
            rows.append(Row("study", cells, kind="study"))
        if network == "blurred":
            candidates = [
                ("ours", "", _without_deviation(group.scores("blurred")), group)
                for group in (whole or groups)
                if group.tested
            ][:1]
        else:
            candidates = [
                (_apart(group), ", ".join(_notes(group)), own[id(group)], group)
                for group in groups
                if group.model == network
            ]
        for name, note, scores, group in candidates:
            cells = [
                _cell(column, *scores[column.name], None if network == "blurred" else best[column.name])
                if column.name in scores
                else Cell("no test yet" if column.name == "ssim" else "", "gap")
                for column in SCORES
            ]
            partial |= bool(group.tested) and not group.whole_test
            if group.tested and not group.whole_test:
                cells = [cell if cell.mark == "gap" else Cell(cell.text + " †") for cell in cells]
            rows.append(Row(name, cells, note, "ours"))
            if reference and scores and group.whole_test:
                means = _means(scores)
                changes = [
                    _difference(column, means[column.name], reference[column.name])
                    if column.name in reference and column.name in means
                    else Cell("")
                    for column in SCORES
                ]
                rows.append(Row("difference", changes, "ours − study", "difference"))
        if not candidates:
            rows.append(
                Row("ours", [Cell("no run" if column.name == "ssim" else "", "gap") for column in SCORES], kind="ours")
            )
        sections.append([Row(TITLES.get(network, network), [], kind="head"), *rows])
    notes = [
        "† of a part of the test set: neither comparable with the study nor in the running for the best."
    ] * partial
    return Table(["", *(column.heading for column in SCORES)], sections, notes)


def _apart(group: Group) -> str:
    """What sets a group apart from others of its network."""
    said = group.label.removeprefix(TITLES.get(group.model, group.model)).strip()
    return f"ours {said}".strip()


def _notes(group: Group) -> list[str]:
    different = len({run.config.seed for run in group.runs})
    seeds = f"{len(group.runs)} runs of {different} seeds" if different < len(group.runs) else f"{different} seeds"
    seeds = seeds if len(group.runs) > 1 else ""
    images = ""
    if group.tested:
        counted = {int(run.result["images"]) for run in group.tested if run.result}
        images = " and ".join(f"{count:,}" for count in sorted(counted)) + " images"
    states = dict.fromkeys(run.state for run in group.runs)
    return [text for text in (*states, seeds, images) if text]


def cost_table(groups: Sequence[Group], sizes: Mapping[str, Size], *, dollars_per_hour: float | None) -> Table:
    """Parameters and operations of each network; speed, time and price of its training."""
    heads = ["", "parameters", "GFLOP an image", "images/s", "hours so far or in all"]
    if dollars_per_hour is not None:
        heads.append(f"at ${dollars_per_hour:g} an hour")
    rows = []
    for group in groups:
        size = sizes.get(group.label)
        cells = [
            Cell(f"{size.parameters:,}") if size else Cell("no checkpoint", "gap"),
            Cell(f"{size.flops / 1e9:.3f}") if size else Cell("", "gap"),
        ]
        speeds = [speed for run in group.runs if (speed := _images_per_second(run))]
        cells.append(Cell(f"{sum(speeds) / len(speeds):,.0f}") if speeds else Cell("no epoch yet", "gap"))
        hours = sum(row["seconds"] for run in group.runs for row in run.history) / 3600 / len(group.runs)
        cells.append(Cell(f"{hours:.2f}"))
        if dollars_per_hour is not None:
            cells.append(Cell(f"${hours * dollars_per_hour:.2f}"))
        devices = dict.fromkeys(str(run.config.trainer.accelerator) for run in group.runs)
        rows.append(Row(group.label, cells, "trainer.accelerator=" + ", ".join(devices)))
    notes = [
        "Parameters are the restoring network's trainable ones. A multiply-add counts as two FLOP. Images a second are "
        "the training images (of frames, their patches) of an epoch over its time, validation included; hours are a "
        "run's, the mean over seeds."
    ]
    return Table(heads, [rows], notes)


def _images_per_second(run: ReportedRun) -> float | None:
    """Of the median epoch."""
    batches = [0.0, *(row["batches"] for row in run.history if "batches" in row)]
    speeds = [
        (after - before) * run.config.data.batch_size / row["seconds"]
        for before, after, row in zip(batches, batches[1:], run.history, strict=False)
        if row["seconds"] > 0
    ]
    return sorted(speeds)[len(speeds) // 2] if speeds else None


def run_table(runs: Sequence[ReportedRun]) -> Table:
    """Where everything comes from."""
    rows = [
        Row(
            str(run.folder),
            [Cell(run.table), Cell(TITLES.get(run.model, run.model)), Cell(str(run.config.seed)), Cell(run.state)],
        )
        for run in runs
    ]
    return Table(["folder", "data", "network", "seed", "state"], [rows])


def elsewhere_table(runs: Sequence[ReportedRun]) -> Table | None:
    """Runs that ``evaluate`` has tested on data that they were not trained on; None if there are none."""
    sections = []
    for run in runs:
        for data, result in run.elsewhere.items():
            trained = f"{TITLES.get(run.model, run.model)} of {run.table}"
            restored, blurred = (
                [
                    _cell(column, result[version][column.name], None, None)
                    if column.name in result[version]
                    else Cell("", "gap")
                    for column in SCORES
                ]
                for version in ("restored", "blurred")
            )
            note = f"{result['images']:,} images"
            sections.append([Row(f"{trained}, on {data}", restored, note), Row("blurred input", blurred)])
    return Table(["", *(column.heading for column in SCORES)], sections) if sections else None


def finding(title: str, groups: Sequence[Group]) -> str:
    """The table in a sentence: how many runs there are, and which network is best by SSIM."""
    study = {name: scores for name, scores in study_scores(title).items() if name != "blurred"}
    said = ""
    if study:
        best = max(study, key=lambda name: study[name]["ssim"])
        said = f" The study's best: {TITLES[best]}, SSIM {study[best]['ssim']:.4f}."
    whole = {group.label: group.scores("restored")["ssim"][0] for group in groups if group.tested and group.whole_test}
    unfinished = sum(run.result is None for group in groups for run in group.runs)
    if not groups:
        return "no run." + said
    if not whole:
        tested = sum(len(group.tested) for group in groups)
        own = f"no run has been tested on the whole test set yet ({tested} on a part, {unfinished} unfinished)."
        return own + said
    label = max(whole, key=lambda name: whole[name])
    waiting = f" {unfinished} runs are unfinished." if unfinished else ""
    return f"best of {len(whole)} by SSIM: {label}, {whole[label]:.4f}.{waiting}{said}"
