"""What the folder of a run tells the report: configuration, epochs, test scores."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from deblurlab.checks.words import counted
from deblurlab.reports.study import TEST_IMAGES, TITLES
from deblurlab.run.history import read_history
from deblurlab.run.results import is_number_column, read_per_image, read_scores
from deblurlab.run.run_folder import RunFolder
from deblurlab.run.saved_run import load_run

_DATA_TITLES = {"cifar10": "CIFAR-10", "reds": "REDS", "gopro": "GOPRO", "sample": "Sample photographs"}
_NETWORK_TITLES = TITLES | {"nafnet": "NAFNet", "blind_wiener": "BlindWiener"}


@dataclass(frozen=True)
class ReportedRun:
    """A run, finished or not.

    Attributes:
        folder: The run's folder.
        model: What its network is called: the name of its configuration, or of its class.
        data: What its data set is called, likewise.
        config: Its whole configuration.
        pictures: What the folder of its pictures is called, if they are one's own: ``data=folder``.
    """

    folder: Path
    model: str
    data: str
    config: DictConfig
    pictures: str = ""

    @property
    def files(self) -> RunFolder:
        """The files in the run's folder."""
        return RunFolder(self.folder)

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """The rows of metrics.csv, one per epoch that has ended."""
        return read_history(self.files.history_file)

    @cached_property
    def result(self) -> dict[str, Any] | None:
        """The content of metrics.json; None before the run was tested."""
        return read_scores(self.files.scores_file) if self.files.scores_file.is_file() else None

    @cached_property
    def per_image(self) -> dict[str, list[float]]:
        """The scores of each test image, and the sigma of its blur where the data has one.

        Column to values; empty if neither train nor evaluate has written them.
        """
        evaluation = self.files.evaluation(self.data)
        # up to version 0.1.0, evaluate gave its table per image the name that train gives the one per epoch
        for file in (self.files.per_image_file, evaluation.per_image_file, evaluation.history_file):
            if file.is_file():
                return {name: values for name, values in read_per_image(file).items() if is_number_column(name)}
        return {}

    @cached_property
    def elsewhere(self) -> dict[str, dict[str, Any]]:
        """The results of ``evaluate`` on other data: names of data sets to the content of their metrics.json."""
        others = {data: files for data, files in self.files.evaluations().items() if data != self.data}
        return {data: read_scores(files.scores_file) for data, files in others.items()}

    @property
    def source(self) -> Path:
        """The file that holds the configuration."""
        return self.files.config_file

    @property
    def checkpoint(self) -> Path | None:
        """The best checkpoint so far; None before the first."""
        return self.files.best_checkpoint if self.files.best_checkpoint.is_file() else None

    @property
    def whole_test(self) -> bool:
        """Whether the run was tested on the whole test set: of a published data set, on all of its test images."""
        if self.result is not None and self.data in TEST_IMAGES:
            return bool(self.result["images"] == TEST_IMAGES[self.data])
        share = self.config.trainer.limit_test_batches
        return isinstance(share, float) and share == 1.0 and not self.config.trainer.fast_dev_run

    @property
    def state(self) -> str:
        """How far the run has come, in words."""
        epochs, planned = len(self.history), self.config.trainer.max_epochs
        if self.result is None:
            return f"unfinished: epoch {epochs} of {planned}"
        if epochs == planned:
            return f"finished, {counted(epochs, 'epoch')}"
        return f"finished after {epochs} of {counted(planned, 'epoch')}"

    @property
    def network_title(self) -> str:
        """What the report calls its network: its name, in the spelling of its authors where it is a known one."""
        return _NETWORK_TITLES.get(self.model, self.model)

    @property
    def table(self) -> str:
        """The title of the report's table that the run belongs to.

        It is the data set's title, with the frames' size where they have one. The study's tables have such titles.
        Pictures of one's own are called by their folder.
        """
        if self.data == "folder":
            return f"Pictures in {self.pictures}"
        title = _DATA_TITLES.get(self.data, self.data)
        size = self.config.data.get("size")
        return f"{title} {size[1]}x{size[0]}" if size else title


def find_runs(places: Iterable[str]) -> list[ReportedRun]:
    """Find runs.

    Args:
        places: Folders of runs, folders that hold such folders, as a sweep's does, or globs of either.

    Raises:
        ValueError: If a place holds no run, or the folder of a run is damaged.
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
    runs = {folder: load_run(str(folder)) for folder in folders}
    roots = {folder: Path(str(run.config.data.root)) for folder, run in runs.items() if run.data == "folder"}
    return [
        ReportedRun(
            folder=folder,
            model=run.model,
            data=run.data,
            config=run.config,
            pictures=called(roots[folder], roots.values()) if folder in roots else "",
        )
        for folder, run in runs.items()
    ]


def called(path: Path, all_paths: Iterable[Path]) -> str:
    """The end of a path that no other path shares: its last name, if that is enough."""
    others = [other for other in all_paths if other != path]
    ends = (path.parts[-count:] for count in range(1, len(path.parts)))
    own = next((end for end in ends if all(other.parts[-len(end) :] != end for other in others)), path.parts)
    return str(Path(*own))


def _runs_in(folder: Path) -> Iterator[Path]:
    if RunFolder(folder).is_run:
        yield folder
    else:
        yield from (one.path for one in RunFolder.within(folder) if one.is_run)
