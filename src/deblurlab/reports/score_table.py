"""The report's tables of test scores, and the sentence that summarises one."""

import math
from collections.abc import Mapping, Sequence

from deblurlab.checks.words import counted
from deblurlab.metrics.scores import SCORES, further_scores, heading
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
from deblurlab.reports.groups import Group, MeanAndDeviation, without_deviation
from deblurlab.reports.study import TITLES, study_scores

_PARTIAL_NOTE = "† Tested on a part of the test set: {compared}no candidate for the best score."
_TEST_SETS_NOTE = (
    "The test sets of the rows differ, since their blurred images have different scores (those of one row are shown): "
    "scores of different test sets cannot be compared."
)
_LOSS_NOTE = "The losses of rows that were trained with different losses cannot be compared."
_STUDY_LOSS = "deblurlab.losses.LogCosh"
_STUDY_LOSS_NOTE = "Losses other than the study's, LogCosh, are not compared with it."


def score_table(title: str, groups: Sequence[Group]) -> Table:
    """Our test scores beside those of the blurred input and, if it has a table for this data, those of the study.

    Networks that we have run come first, then those that only the study has. The best value of each score is marked,
    separately for ours and the study's. Runs that were tested on a part of the test set are not compared.

    Args:
        title: The table's title; the study's table of the same data and frame size has the same title.
        groups: The groups of this table.
    """
    study = study_scores(title)
    sections = _sections_beside_study(groups, study) if study else _sections(groups)
    return Table(SCORE_HEADS, sections, _notes_below(groups, beside_study=bool(study)))


def _sections(groups: Sequence[Group]) -> list[list[Row]]:
    """The scores of our groups, and those of the blurred images."""
    best = _best_of_ours(groups)
    rows = [row for group in groups for row in _group_rows(group.label, group, {}, best=best)]
    return [rows, _blurred_rows(groups, {}, title=TITLES["blurred"])]


def _sections_beside_study(groups: Sequence[Group], study: Mapping[str, Mapping[str, float]]) -> list[list[Row]]:
    """A section per network: the scores of the study, ours, and the differences. That of the blurred images is last."""
    restored_by_study = {network: scores for network, scores in study.items() if network != "blurred"}
    best, best_of_study = _best_of_ours(groups), best_values(list(restored_by_study.values()))
    titles = TITLES | {group.model: group.runs[0].network_title for group in groups}
    sections = []
    for network in dict.fromkeys((*(group.model for group in groups), *restored_by_study)):
        reference = study.get(network, {})
        head = Row(titles[network], [], kind="head")
        ours = _network_rows([group for group in groups if group.model == network], reference, best=best)
        sections.append([head, *_study_rows(reference, best=best_of_study), *ours])
    reference = study.get("blurred", {})
    head = Row(TITLES["blurred"], [], kind="head")
    return [*sections, [head, *_study_rows(reference, best={}), *_blurred_rows(groups, reference)]]


def _notes_below(groups: Sequence[Group], *, beside_study: bool) -> list[str]:
    compared = "not comparable with the study, and " if beside_study else ""
    notes = {
        _PARTIAL_NOTE.format(compared=compared): any(group.tested and not group.whole_test for group in groups),
        _TEST_SETS_NOTE: len(_by_test_set(_tested_on_all(groups))) > 1,
        _LOSS_NOTE: not _have_same_loss(groups),
        _STUDY_LOSS_NOTE: beside_study and not all(map(_has_study_loss, groups)),
    }
    return [note for note, applies in notes.items() if applies]


def _best_of_ours(groups: Sequence[Group]) -> dict[str, float]:
    """The best value of each score that can be compared."""
    best = best_values([_means(group.scores("restored")) for group in _tested_on_all(groups)])
    return {name: value for name, value in best.items() if name != "loss" or _have_same_loss(groups)}


def _have_same_loss(groups: Sequence[Group]) -> bool:
    return all(group.loss == groups[0].loss for group in groups)


def _tested_on_all(groups: Sequence[Group]) -> list[Group]:
    """The groups that were tested on the whole test set."""
    return [group for group in groups if group.tested and group.whole_test]


def _study_rows(reference: Mapping[str, float], *, best: Mapping[str, float]) -> list[Row]:
    return [Row("study", score_cells(without_deviation(reference), best=best), kind="study")] if reference else []


def _network_rows(groups: Sequence[Group], reference: Mapping[str, float], *, best: Mapping[str, float]) -> list[Row]:
    if not groups:
        return [Row("ours", gap_cells("no run"), kind="ours")]
    rows = []
    for group in groups:
        settings = group.label.removeprefix(group.runs[0].network_title)
        rows += _group_rows(f"ours {settings.strip()}".strip(), group, reference, best=best)
    return rows


def _group_rows(title: str, group: Group, reference: Mapping[str, float], *, best: Mapping[str, float]) -> list[Row]:
    return _our_rows(title, ", ".join(_notes(group)), group, group.scores("restored"), reference, best=best)


def _blurred_rows(groups: Sequence[Group], reference: Mapping[str, float], *, title: str = "ours") -> list[Row]:
    """The blurred images' scores from the first group that has some, if possible of the whole test set.

    They do not depend on the network or its seed.
    """
    for group in (*_tested_on_all(groups), *groups):
        if group.tested:
            means = _means(group.scores("blurred"))
            return _our_rows(title, "", group, without_deviation(means), reference, best={})
    return [Row(title, gap_cells("no test yet" if groups else "no run"), kind="ours")]


def _our_rows(
    title: str,
    note: str,
    group: Group,
    scores: Mapping[str, MeanAndDeviation],
    reference: Mapping[str, float],
    *,
    best: Mapping[str, float],
) -> list[Row]:
    """A row of our scores and, if the whole test set was used, a row of their differences from the study's."""
    if not scores:
        return [Row(title, gap_cells("no test yet"), note, "ours")]
    cells = score_cells(scores, best=best, absent=Cell("", "gap"))
    if not group.whole_test:
        cells = [cell if cell.mark == "gap" else Cell(f"{cell.text} †") for cell in cells]
    rows = [Row(title, cells, note, "ours")]
    if reference and group.whole_test:
        means = _means(scores)
        if not _has_study_loss(group):
            means.pop("loss", None)
        rows.append(Row("difference", difference_cells(means, reference), "ours − study", "difference"))
    return rows


def _has_study_loss(group: Group) -> bool:
    """Whether the runs were trained with the study's loss. WGANs have no ``loss``, and no loss score in the study."""
    return not isinstance(group.loss, Mapping) or group.loss.get("_target_") == _STUDY_LOSS


def _notes(group: Group) -> list[str]:
    """Small notes after a group's title: the state of its runs, their number, and the number of test images."""
    seeds = ""
    if len(group.runs) > 1:
        different = len({run.config.seed for run in group.runs})
        repeated = f"{len(group.runs)} runs of " if different < len(group.runs) else ""
        seeds = f"{repeated}{counted(different, 'seed')}"
    images = ""
    if group.tested:
        counts = {int(run.result["images"]) for run in group.tested if run.result}
        images = " and ".join(f"{count:,}" for count in sorted(counts)) + (" image" if counts == {1} else " images")
    states = dict.fromkeys(run.state for run in group.runs)
    return [text for text in (*states, seeds, images) if text]


def _means(scores: Mapping[str, MeanAndDeviation]) -> dict[str, float]:
    return {name: mean for name, (mean, _) in scores.items()}


def further_table(groups: Sequence[Group]) -> Table | None:
    """The scores of the setting ``metrics``, in plain units; None if there are none. Each test set is a section."""
    members = [group for group in groups if further_scores(group.scores("restored"))]
    names = list(dict.fromkeys(name for group in members for name in further_scores(group.scores("restored"))))

    def row(title: str, values: Mapping[str, MeanAndDeviation], note: str = "") -> Row:
        texts = [" ± ".join(f"{part:.4f}" for part in values.get(name, ()) if part is not None) for name in names]
        return Row(title, [Cell(text, "" if text else "gap") for text in texts], note)

    sections = []
    for groups_of_one in _by_test_set(members):
        blurred = {name: mean for group in groups_of_one for name, mean in _means(group.scores("blurred")).items()}
        ours = [row(group.label, group.scores("restored"), ", ".join(_notes(group))) for group in groups_of_one]
        sections.append([*ours, row("blurred input", without_deviation(blurred))])
    return Table(["", *map(heading, names)], sections) if names else None


def _by_test_set(groups: Sequence[Group]) -> list[list[Group]]:
    """The groups of each test set, which are those whose blurred images have the same scores."""
    test_sets: list[list[Group]] = []
    for group in groups:
        same = next((one for one in test_sets if _have_same_blurred(one[0], group)), None)
        if same is None:
            test_sets.append([group])
        else:
            same.append(group)
    return test_sets


def _have_same_blurred(one: Group, other: Group) -> bool:
    """Whether the blurred images of two groups have the same scores, without the runs' own loss.

    Devices and batch sizes round differently, so that the last digit in the table may differ by one.
    """
    first, second = (_means(group.scores("blurred")) for group in (one, other))
    compared = [score for score in SCORES if not score.is_loss and score.name in first.keys() & second]
    return all(
        score.in_table(first[score.name]) == score.in_table(second[score.name])  # also if both are NaN
        or abs(first[score.name] - second[score.name]) * score.factor < 10**-score.digits
        for score in compared
    )


def finding(title: str, groups: Sequence[Group]) -> str:
    """A summary of the score table: the number of runs, and the network that ranks first."""
    study = {name: scores for name, scores in study_scores(title).items() if name != "blurred"}
    of_study = ""
    if study:
        name, value = _first_ranked({name: scores[RANKING.name] for name, scores in study.items()})
        of_study = f" The study's best: {TITLES[name]}, {RANKING.title} {RANKING.in_table(value)}."
    if not groups:
        return "no run." + of_study
    unfinished = sum(run.result is None for group in groups for run in group.runs)
    whole = _tested_on_all(groups)
    if not whole:
        partly = sum(len(group.tested) for group in groups)
        counts = [
            f"{number} {state}" for number, state in ((partly, "on a part"), (unfinished, "unfinished")) if number
        ]
        return f"no run has been tested on the whole test set yet ({', '.join(counts)}).{of_study}"
    label, value = _first_ranked({group.label: group.scores("restored")[RANKING.name][0] for group in whole})
    blurred = RANKING.in_table(whole[0].scores("blurred")[RANKING.name][0])
    waiting = f" {counted(unfinished, 'run')} not finished." if unfinished else ""
    found = f"best of {len(whole)} by {RANKING.title}: {label}, {RANKING.in_table(value)} (blurred: {blurred})."
    return found + waiting + of_study


def _first_ranked(values: Mapping[str, float]) -> tuple[str, float]:
    """The name with the best value, and the value. NaN is worse than any."""
    sign = 1 if RANKING.best == "max" else -1
    return max(values.items(), key=lambda item: -math.inf if math.isnan(item[1]) else sign * item[1])
