"""The report's tables of test scores, and the sentence that sums one up."""

from collections.abc import Mapping, Sequence

from deblurlab.reports.cells import (
    RANKING,
    SCORE_HEADS,
    Cell,
    Row,
    Table,
    best_values,
    difference_cells,
    gap_cells,
    score_cells,
)
from deblurlab.reports.groups import Group, MeanAndDeviation
from deblurlab.reports.reported_run import ReportedRun
from deblurlab.reports.study import TITLES, study_scores

_PARTIAL_NOTE = (
    "† Tested on a part of the test set: not comparable with the study, and no candidate for the best score."
)


def score_table(title: str, groups: Sequence[Group]) -> Table:
    """Our test scores beside the study's and the blurred input's, for every network that either has.

    The best value of each score is marked, ours and the study's apart. Runs that were tested on a part of the test set
    are compared with nothing.

    Args:
        title: The table's title, which the study's table of the same data and frame size has, too.
        groups: The groups of this table.
    """
    study = study_scores(title)
    whole = [group for group in groups if group.tested and group.whole_test]
    best = best_values([_means(group.scores("restored")) for group in whole])
    best_of_study = best_values([scores for network, scores in study.items() if network != "blurred"])
    sections = []
    for network in dict.fromkeys((*study, *(group.model for group in groups), "blurred")):
        rows = [Row(TITLES.get(network, network), [], kind="head")]
        reference = study.get(network, {})
        if network == "blurred":
            rows += _study_rows(reference, best={})
            rows += _blurred_rows(whole or groups, reference)
        else:
            rows += _study_rows(reference, best=best_of_study)
            rows += _network_rows([group for group in groups if group.model == network], reference, best=best)
        sections.append(rows)
    partial = any(group.tested and not group.whole_test for group in groups)
    return Table(SCORE_HEADS, sections, [_PARTIAL_NOTE] if partial else [])


def _study_rows(reference: Mapping[str, float], *, best: Mapping[str, float]) -> list[Row]:
    return [Row("study", score_cells(_without_deviation(reference), best=best), kind="study")] if reference else []


def _network_rows(groups: Sequence[Group], reference: Mapping[str, float], *, best: Mapping[str, float]) -> list[Row]:
    if not groups:
        return [Row("ours", gap_cells("no run"), kind="ours")]
    rows = []
    for group in groups:
        scores, settings = group.scores("restored"), group.label.removeprefix(TITLES.get(group.model, group.model))
        title = f"ours {settings.strip()}".strip()
        rows += _our_rows(title, ", ".join(_notes(group)), group, scores, reference, best=best)
    return rows


def _blurred_rows(groups: Sequence[Group], reference: Mapping[str, float]) -> list[Row]:
    """The blurred images' scores from the first group that has some; they do not depend on the network or its seed."""
    for group in groups:
        if group.tested:
            means = _means(group.scores("blurred"))
            return _our_rows("ours", "", group, _without_deviation(means), reference, best={})
    return [Row("ours", gap_cells("no run"), kind="ours")]


def _our_rows(
    title: str,
    note: str,
    group: Group,
    scores: Mapping[str, MeanAndDeviation],
    reference: Mapping[str, float],
    *,
    best: Mapping[str, float],
) -> list[Row]:
    """A row of our scores and, if the whole test set was taken, a row of their differences from the study's."""
    if not scores:
        return [Row(title, gap_cells("no test yet"), note, "ours")]
    cells = score_cells(scores, best=best, absent=Cell("", "gap"))
    if not group.whole_test:
        cells = [cell if cell.mark == "gap" else Cell(f"{cell.text} †") for cell in cells]
    rows = [Row(title, cells, note, "ours")]
    if reference and group.whole_test:
        rows.append(Row("difference", difference_cells(_means(scores), reference), "ours − study", "difference"))
    return rows


def _notes(group: Group) -> list[str]:
    """What stands small beside a group's title: how far its runs are, how many there are, on how many images."""
    seeds = ""
    if len(group.runs) > 1:
        different = len({run.config.seed for run in group.runs})
        seeds = f"{len(group.runs)} runs of {different} seeds" if different < len(group.runs) else f"{different} seeds"
    images = ""
    if group.tested:
        counts = {int(run.result["images"]) for run in group.tested if run.result}
        images = " and ".join(f"{count:,}" for count in sorted(counts)) + " images"
    states = dict.fromkeys(run.state for run in group.runs)
    return [text for text in (*states, seeds, images) if text]


def _means(scores: Mapping[str, MeanAndDeviation]) -> dict[str, float]:
    return {name: mean for name, (mean, _) in scores.items()}


def _without_deviation(means: Mapping[str, float]) -> dict[str, MeanAndDeviation]:
    return {name: (mean, None) for name, mean in means.items()}


def elsewhere_table(runs: Sequence[ReportedRun]) -> Table | None:
    """The scores of runs that ``evaluate`` tested on data that they were not trained on; None if there are none."""
    sections = []
    for run in runs:
        for data, result in run.elsewhere.items():
            trained = f"{TITLES.get(run.model, run.model)} of {run.table}"
            restored, blurred = (
                score_cells(_without_deviation(result[version]), best={}, absent=Cell("", "gap"))
                for version in ("restored", "blurred")
            )
            note = f"{result['images']:,} images"
            sections.append([Row(f"{trained}, on {data}", restored, note), Row("blurred input", blurred)])
    return Table(SCORE_HEADS, sections) if sections else None


def finding(title: str, groups: Sequence[Group]) -> str:
    """The score table in a sentence: how many runs there are, and which network ranks first."""
    study = {name: scores for name, scores in study_scores(title).items() if name != "blurred"}
    of_study = ""
    if study:
        name, value = _first_ranked({name: scores[RANKING.name] for name, scores in study.items()})
        of_study = f" The study's best: {TITLES[name]}, {RANKING.title} {RANKING.in_table(value)}."
    if not groups:
        return "no run." + of_study
    unfinished = sum(run.result is None for group in groups for run in group.runs)
    whole = [group for group in groups if group.tested and group.whole_test]
    if not whole:
        partly = sum(len(group.tested) for group in groups)
        return (
            f"no run has been tested on the whole test set yet ({partly} on a part, {unfinished} unfinished).{of_study}"
        )
    label, value = _first_ranked({group.label: group.scores("restored")[RANKING.name][0] for group in whole})
    waiting = f" {unfinished} runs are unfinished." if unfinished else ""
    return f"best of {len(whole)} by {RANKING.title}: {label}, {RANKING.in_table(value)}.{waiting}{of_study}"


def _first_ranked(values: Mapping[str, float]) -> tuple[str, float]:
    best = max if RANKING.best == "max" else min
    return best(values.items(), key=lambda item: item[1])
