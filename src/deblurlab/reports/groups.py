"""Groups of runs that only differ in their seed, each with a label that distinguishes it from the others."""

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from deblurlab.metrics.scores import SCORES, further_scores
from deblurlab.reports.reported_run import ReportedRun
from deblurlab.reports.settings import SPOKEN_KEYS, learning_settings, spoken
from deblurlab.reports.study import TITLES

MeanAndDeviation = tuple[float, float | None]


@dataclass(frozen=True)
class Group:
    """Runs of one network on one data set that only differ in their seed.

    Attributes:
        model: The name of the network.
        label: The network's title and, if it has several groups, the settings that distinguish this one.
        runs: The runs, at least one.
    """

    model: str
    label: str
    runs: Sequence[ReportedRun]

    @property
    def loss(self) -> object:
        """The loss of the training; the loss scores of runs with different losses cannot be compared."""
        return self.runs[0].config.model.get("loss")

    @property
    def tested(self) -> list[ReportedRun]:
        """The runs that have test scores."""
        return [run for run in self.runs if run.result]

    @property
    def whole_test(self) -> bool:
        """Whether every tested run was tested on the whole test set."""
        return all(run.whole_test for run in self.tested)

    def scores(self, version: str) -> dict[str, MeanAndDeviation]:
        """The mean and standard deviation over the runs of each test score of the ``restored`` or ``blurred`` images.

        The scores of the table come first, then those of the setting ``metrics``. The deviation of a single run is
        None. A score that one of the runs lacks is left out.
        """
        results = [run.result[version] for run in self.runs if run.result]
        names = [*(score.name for score in SCORES), *further_scores(results[0] if results else ())]
        return {
            name: _mean_and_deviation([result[name] for result in results])
            for name in names
            if results and all(name in result for result in results)
        }

    @property
    def representative(self) -> ReportedRun:
        """The run whose network restores the pictures: the first that was tested, or else the first."""
        return (self.tested or list(self.runs))[0]


def _mean_and_deviation(values: Sequence[float]) -> MeanAndDeviation:
    if len(values) == 1:
        return values[0], None
    # statistics.stdev fails for NaN, the score of a network that diverged, and for infinite values
    return statistics.fmean(values), statistics.stdev(values) if all(map(math.isfinite, values)) else math.nan


def without_deviation(means: Mapping[str, float]) -> dict[str, MeanAndDeviation]:
    """Scores of a single run, or of images that are the same for all runs."""
    return {name: (mean, None) for name, mean in means.items()}


def group_runs(runs: Iterable[ReportedRun]) -> dict[str, list[Group]]:
    """Group runs by the settings that influence what they learned.

    Returns:
        The groups of each of the report's tables by its title, in the study's order of networks.
    """
    tables: dict[str, dict[tuple[str, str], list[ReportedRun]]] = {}
    for run in runs:
        key = (run.model, json.dumps(learning_settings(run), sort_keys=True, default=str))
        tables.setdefault(run.table, {}).setdefault(key, []).append(run)
    order = list(TITLES)
    return {
        table: sorted(
            (
                Group(model=model, label=_label(members[0], [one[0] for one in groups.values()]), runs=members)
                for (model, _), members in groups.items()
            ),
            key=lambda group: (order.index(group.model) if group.model in order else -1, group.label),
        )
        for table, groups in tables.items()
    }


def _same_class(key: str, settings: Mapping[str, object], others: Mapping[str, object]) -> bool:
    """Whether a setting is one of the same class in both runs: two classes differ by their names in labels."""
    parents = accumulate(key.removesuffix("._target_").split(".")[:-1], "{}.{}".format)
    return all(settings.get(f"{parent}._target_") == others.get(f"{parent}._target_") for parent in parents)


def _label(run: ReportedRun, others: Sequence[ReportedRun]) -> str:
    """The network's title and as many settings as are needed to distinguish the run from every other one."""
    title = run.network_title
    own = learning_settings(run)
    alike = [learning_settings(other) for other in others if other.model == run.model and other is not run]
    keys = dict.fromkeys(key for settings in (own, *alike) for key in settings)
    parts = []
    for key in sorted(keys, key=lambda key: (key not in SPOKEN_KEYS, key.endswith("_target_"))):
        differing = [other for other in alike if other.get(key) != own.get(key) and _same_class(key, own, other)]
        if differing:
            words = spoken(key, own)
            # two classes of one name, or null and false: their values as they are
            alike_in_words = any(spoken(key, other) == words for other in differing)
            parts.append(f"{key} {json.dumps(own.get(key))}" if alike_in_words else words)
            alike = [other for other in alike if other not in differing]
    if run.result is None:
        planned = run.config.trainer.max_epochs
        parts = [f"epoch {len(run.history)} of {planned}", *(part for part in parts if part != f"{planned} epochs")]
    return f"{title} ({', '.join(parts)})" if parts else title
