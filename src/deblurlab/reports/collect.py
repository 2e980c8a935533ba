"""Runs as their folders tell them, and groups of runs that differ in nothing but their seed."""

import csv
import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from deblurlab.metrics.scores import SCORES
from deblurlab.reports.study import TEST_IMAGES, TITLES
from deblurlab.run.history import read_history
from deblurlab.run.run_folder import load_run

_DATA_TITLES = {"cifar10": "CIFAR-10", "reds": "REDS", "gopro": "GOPRO", "sample": "Sample photographs"}
# Keys that do not change what a run learns, or that differ between its seeds anyway.
_INCIDENTAL = (
    *("seed", "model.seed", "run", "ckpt_path", "monitor", "search", "logger"),
    *(f"data.{key}" for key in ("seed", "workers", "cache", "cache_gib", "on_error")),
    *(f"trainer.{key}" for key in ("accelerator", "devices", "graph", "default_root_dir", "log_every_n_steps")),
)
_SAID = {  # how a setting is said in a run's name
    "trainer.max_epochs": "{} epochs",
    "data.batch_size": "batch {}",
    "model.optimizer.lr": "lr {}",
}


@dataclass(frozen=True)
class ReportedRun:
    """A run's folder, finished or not."""

    folder: Path
    model: str
    data: str
    config: DictConfig

    @cached_property
    def history(self) -> list[dict[str, float]]:
        return read_history(self.folder / "metrics.csv")

    @cached_property
    def result(self) -> dict[str, Any] | None:
        """metrics.json; None before the run was tested."""
        file = self.folder / "metrics.json"
        return _read_scores(file) if file.is_file() else None

    @cached_property
    def per_image(self) -> dict[str, list[float]]:
        """Scores and sigma of each test image, by column; empty if neither train nor evaluate has left them."""
        for file in (self.folder / "per_image.csv", self.folder / "evaluate" / self.data / "metrics.csv"):
            if file.is_file():
                try:
                    with file.open(newline="") as stream:
                        rows = list(csv.DictReader(stream))
                    names = [name for name in rows[0] if name == "sigma" or name.startswith(("restored_", "blurred_"))]
                    return {name: [float(row[name]) for row in rows] for name in names}
                except (ValueError, TypeError, AttributeError, IndexError, csv.Error) as error:
                    raise ValueError(f"{file} is damaged: {error}. Without it, its run has no such scores.") from error
        return {}

    @cached_property
    def elsewhere(self) -> dict[str, dict[str, Any]]:
        """What ``evaluate`` left of tests on other data, by data set."""
        files = sorted(self.folder.glob("evaluate/*/metrics.json"))
        return {file.parent.name: _read_scores(file) for file in files if file.parent.name != self.data}

    @property
    def source(self) -> Path:
        """The file that the configuration is of."""
        return self.folder / ".hydra" / "config.yaml"

    @property
    def checkpoint(self) -> Path | None:
        file = self.folder / "checkpoints" / "best.ckpt"
        return file if file.is_file() else None

    @property
    def whole_test(self) -> bool:
        """Whether the test took the whole test set: of a published one, all its images."""
        if self.result is not None and self.data in TEST_IMAGES:
            return bool(self.result["images"] == TEST_IMAGES[self.data])
        share = self.config.trainer.limit_test_batches
        return isinstance(share, float) and share == 1.0 and not self.config.trainer.fast_dev_run

    @property
    def state(self) -> str:
        epochs, planned = len(self.history), self.config.trainer.max_epochs
        if self.result is None:
            return f"unfinished: epoch {epochs} of {planned}"
        return f"finished, {epochs} epochs" if epochs == planned else f"finished after {epochs} of {planned} epochs"

    @property
    def table(self) -> str:
        """The title of its data, with the frames' size where it has one; the study's tables are named so."""
        title = _DATA_TITLES.get(self.data, self.data)
        size = self.config.data.get("size")
        return f"{title} {size[1]}x{size[0]}" if size else title

    @property
    def settings(self) -> dict[str, Any]:
        """What it was trained with, flat, without what does not matter."""
        flat = _flat(OmegaConf.to_container(self.config))
        incidental = _INCIDENTAL if self.data == "folder" else (*_INCIDENTAL, "data.root")
        return {key: value for key, value in flat.items() if not _below(key, incidental) and _trains(key)}


def _read_scores(file: Path) -> dict[str, Any]:
    """A metrics.json; ValueError naming the file if it is damaged."""
    try:
        result = json.loads(file.read_text())
        versions = [result[version] for version in ("restored", "blurred")]
        if not all(isinstance(score, int | float) for scores in versions for score in scores.values()):
            raise ValueError("a score is no number")
        if not isinstance(result["images"], int):
            raise ValueError("images is no number")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error!r}. Delete it: its run counts as untested.") from error
    else:
        scores: dict[str, Any] = result
        return scores


def _below(key: str, parents: Iterable[str]) -> bool:
    return any(key == one or key.startswith(one + ".") for one in parents)


def _trains(key: str) -> bool:
    """Of the callbacks, the moving average alone changes what is learned."""
    return not _below(key, ["callbacks"]) or _below(key, ["callbacks.ema"])


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {prefix: value}
    return {
        name: one for key, inner in value.items() for name, one in _flat(inner, f"{prefix}.{key}".lstrip(".")).items()
    }


@dataclass(frozen=True)
class Group:
    """Runs of one network on one data set that differ in nothing but their seed.

    Attributes:
        model: name of the network's configuration.
        label: the network's title and, where there are several groups of it, what sets this one apart.
        runs: at least one.
    """

    model: str
    label: str
    runs: Sequence[ReportedRun]

    @property
    def tested(self) -> list[ReportedRun]:
        return [run for run in self.runs if run.result]

    @property
    def whole_test(self) -> bool:
        return all(run.whole_test for run in self.tested)

    def scores(self, version: str) -> dict[str, tuple[float, float | None]]:
        """Mean and, of several seeds, standard deviation of each test score of ``restored`` or ``blurred``."""
        results = [run.result[version] for run in self.runs if run.result]
        return {
            score.name: _mean([result[score.name] for result in results])
            for score in SCORES
            if results and all(score.name in result for result in results)  # an earlier version had fewer scores
        }

    @property
    def representative(self) -> ReportedRun:
        """The run whose network draws the pictures: the first that was tested, or else the first."""
        return (self.tested or list(self.runs))[0]


def _mean(values: Sequence[float]) -> tuple[float, float | None]:
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def find_runs(places: Iterable[str]) -> list[ReportedRun]:
    """The runs in ``places``: folders of runs, folders that hold such folders (a sweep's), or globs of either.

    Raises:
        ValueError: if a place holds no run.
    """
    folders: dict[Path, None] = {}
    for place in places:
        matches = [Path(place)] if Path(place).is_dir() else sorted(Path().glob(place)) if place[0] != "/" else None
        if matches is None:
            matches = sorted(Path("/").glob(place[1:]))
        found = [folder for match in matches for folder in _runs_in(match)]
        if not found:
            raise ValueError(f"runs={place}: there is no run (a folder with .hydra/config.yaml).")
        folders |= dict.fromkeys(found)
    runs = []
    for folder in folders:
        run = load_run(str(folder))
        runs.append(ReportedRun(folder=folder, model=run.model, data=run.data, config=run.config))
    return runs


def _runs_in(folder: Path) -> Iterator[Path]:
    if (folder / ".hydra" / "config.yaml").is_file():
        yield folder
    else:
        yield from (file.parents[1] for file in sorted(folder.glob("*/.hydra/config.yaml")))


def group_runs(runs: Iterable[ReportedRun]) -> dict[str, list[Group]]:
    """Table to its groups, in the study's order of networks."""
    tables: dict[str, dict[tuple[str, str], list[ReportedRun]]] = {}
    for run in runs:
        key = (run.model, json.dumps(run.settings, sort_keys=True, default=str))
        tables.setdefault(run.table, {}).setdefault(key, []).append(run)
    order = list(TITLES)
    return {
        table: sorted(
            (
                Group(model=model, label=_label(members[0], [one[0] for one in groups.values()]), runs=members)
                for (model, _), members in groups.items()
            ),
            key=lambda group: (order.index(group.model) if group.model in order else len(order), group.label),
        )
        for table, groups in tables.items()
    }


def _label(run: ReportedRun, others: Sequence[ReportedRun]) -> str:
    """The network's title and as many settings as tell the run apart from every other."""
    title = TITLES.get(run.model, run.model)
    alike = [other.settings for other in others if other.model == run.model and other is not run]
    own = run.settings
    keys = dict.fromkeys(key for settings in (own, *alike) for key in settings)
    said = []
    for key in sorted(keys, key=lambda key: (key not in _SAID, key.endswith("_target_"))):
        if any(other.get(key) != own.get(key) for other in alike):
            said.append(_said(key, own))
            alike = [other for other in alike if other.get(key) == own.get(key)]
    if run.result is None:
        planned = run.config.trainer.max_epochs
        said = [f"epoch {len(run.history)} of {planned}", *(one for one in said if one != f"{planned} epochs")]
    return f"{title} ({', '.join(said)})" if said else title


def _said(key: str, settings: Mapping[str, Any]) -> str:
    name = key.removesuffix("._target_").split(".")[-1]
    if key not in settings:
        return f"no {name}"
    value = str(settings[key])
    if key.endswith("_target_"):
        value = value.split(".")[-1]
    return _SAID.get(key, name + " {}").format(value)
