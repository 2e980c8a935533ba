"""Reads the folder of a run for the report: configuration, epochs, test scores."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from deblurlab.checks.command_line import quoted_assignment
from deblurlab.checks.words import counted
from deblurlab.reports.study import TEST_IMAGES, TITLES
from deblurlab.run.history import read_history
from deblurlab.run.provenance import read_starts
from deblurlab.run.results import is_number_column, read_per_image, read_scores
from deblurlab.run.run_folder import RunFolder
from deblurlab.run.saved_run import load_run

_DATA_TITLES = {
    "cifar10": "CIFAR-10",
    "reds": "REDS",
    "reds_full": "REDS 1280x720",
    "gopro": "GOPRO",
    "gopro_full": "GOPRO 1280x720",
    "sample": "Sample photographs",
}
_NETWORK_TITLES = TITLES | {"nafnet": "NAFNet", "blind_wiener": "BlindWiener"}


@dataclass(frozen=True)
class ReportedRun:
    """A run, finished or not.

    Attributes:
        folder: The run's folder.
        model: The name of the network: that of its configuration, or of its class.
        data: The name of the data set: that of its configuration, or of its class.
        config: The whole configuration.
        pictures: For ``data=folder``, the name of the folder of pictures.
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
        """The rows of metrics.csv, one per completed epoch."""
        return read_history(self.files.history_file)

    @cached_property
    def _test(self) -> RunFolder:
        """The folder with the test's results: the run's own, or that of ``evaluate`` if it has tested more images.

        An average over flips and rotations does not count, nor a test with a window, for the tests of other runs are
        without them.
        """
        own, later = self.files, self.files.evaluation(self.data)
        if not (own.scores_file.is_file() and later.scores_file.is_file()):
            return own
        before, after = read_scores(own.scores_file), read_scores(later.scores_file)
        plain = not after.get("tta") and "window" not in after
        return later if after["images"] > before["images"] and plain else own

    @cached_property
    def result(self) -> dict[str, Any] | None:
        """The content of metrics.json; None before the run was tested."""
        return read_scores(self._test.scores_file) if self._test.scores_file.is_file() else None

    @cached_property
    def per_image(self) -> dict[str, list[float]]:
        """The scores of each test image, and the sigma of its blur if the data has one, as columns by name.

        It is empty if neither train nor evaluate has written them.
        """
        evaluation = self.files.evaluation(self.data)
        # up to version 0.1.0, evaluate gave its table per image the name that train gives the one per epoch
        for file in (self._test.per_image_file, evaluation.per_image_file, evaluation.history_file):
            if file.is_file():
                return {name: values for name, values in read_per_image(file).items() if is_number_column(name)}
        return {}

    @cached_property
    def elsewhere(self) -> dict[str, dict[str, Any]]:
        """The results of ``evaluate`` on other data or with other settings: metrics.json by the evaluation's name."""
        others = {data: files for data, files in self.files.evaluations().items() if data != self.data}
        return {data: read_scores(files.scores_file) for data, files in others.items()}

    @property
    def source(self) -> Path:
        """The file with the configuration."""
        return self.files.config_file

    @property
    def checkpoint(self) -> Path | None:
        """The best checkpoint so far; None before the first."""
        return self.files.best_checkpoint if self.files.best_checkpoint.is_file() else None

    @property
    def whole_test(self) -> bool:
        """Whether the run was tested on the whole test set; for a published data set, on all its test images."""
        everything = TEST_IMAGES.get(self.data, self.result and self.result.get("all_images"))
        if self.result is not None and everything is not None:
            return bool(self.result["images"] == everything)
        share = self.config.trainer.limit_test_batches
        return isinstance(share, float) and share == 1.0 and not self.config.trainer.fast_dev_run

    @property
    def state(self) -> str:
        """The progress of the run in words."""
        epochs, planned = len(self.history), self.config.trainer.max_epochs
        endless = planned in (None, -1)  # max_steps or max_time ends it
        if self.result is None:
            return f"unfinished: epoch {epochs}" if endless else f"unfinished: epoch {epochs} of {planned}"
        if endless or epochs == planned:
            return f"finished, {counted(epochs, 'epoch')}"
        return f"finished after {epochs} of {counted(planned, 'epoch')}"

    @property
    def device(self) -> str:
        """The device of the newest start, such as ``cpu`` or a GPU's name; without a record, the key's value."""
        starts = read_starts(self.files.provenance_file)
        return str(starts[-1]["machine"]["device"] if starts else self.config.trainer.accelerator)

    @property
    def network_title(self) -> str:
        """The network's name in the report, in the spelling of its authors if it is a known one."""
        return _NETWORK_TITLES.get(self.model, self.model)

    @property
    def table(self) -> str:
        """The title of the report's table that the run belongs to.

        It is the data set's title, with the size of the frames if they have one, as for the study's tables. For the
        user's own pictures it has the name of their folder. Runs that were tested on whole pictures have a table of
        their own, since others were tested on parts of the same pictures.
        """
        title = f"Pictures in {self.pictures}" if self.data == "folder" else _DATA_TITLES.get(self.data, self.data)
        if size := self.config.data.get("size"):
            title += f" {size[1]}x{size[0]}"
        return f"{title}, whole" if self.config.data.get("whole_pictures") else title


def find_runs(places: Iterable[str]) -> list[ReportedRun]:
    """Find runs.

    Args:
        places: Folders of runs, folders that hold such folders, as a sweep's does, or globs of either.

    Returns:
        The runs, each once, even if several places or a link such as ``latest`` lead to it.

    Raises:
        ValueError: If a place holds no run, or the folder of a run is damaged.
    """
    folders: dict[Path, Path] = {}
    for place in places:
        found = [folder for match in _matches(place) for folder in _runs_in(match)]
        if not found:
            raise ValueError(f"runs={place}: there is no run (a folder with .hydra/config.yaml).{_deeper(place)}")
        for folder in sorted(found, key=Path.is_symlink):  # the name of the folder itself, if there is a choice
            folders.setdefault(folder.resolve(), folder)
    runs = {folder: load_run(str(folder)) for folder in folders.values()}
    roots = {folder: Path(str(run.config.data.root)) for folder, run in runs.items() if run.data == "folder"}
    return [
        ReportedRun(
            folder=folder,
            model=run.model,
            data=run.data,
            config=run.config,
            pictures=unique_end(roots[folder], roots.values()) if folder in roots else "",
        )
        for folder, run in runs.items()
    ]


def unique_end(path: Path, all_paths: Iterable[Path]) -> str:
    """The shortest end of a path that no other path shares: its last name, if that is enough."""
    others = [other for other in all_paths if other != path]
    ends = (path.parts[-count:] for count in range(1, len(path.parts)))
    own = next((end for end in ends if all(other.parts[-len(end) :] != end for other in others)), path.parts)
    return str(Path(*own))


def _matches(place: str) -> list[Path]:
    """The folder of this name, or the paths that match it as a glob."""
    if Path(place).is_dir():
        return [Path(place)]
    return sorted(Path("/").glob(place[1:]) if place.startswith("/") else Path().glob(place))


def _deeper(place: str) -> str:
    """A sentence with the pattern of the runs that lie deeper below a place; "" if there are none."""
    for depth in (1, 2, 3):
        pattern = place.rstrip("/") + "/*" * depth
        if any(next(_runs_in(match), None) for match in _matches(pattern) if match.is_dir()):
            return f" There are runs below it: {quoted_assignment('runs', pattern)}"
    return ""


def _runs_in(folder: Path) -> Iterator[Path]:
    if RunFolder(folder).is_run:
        yield folder
    else:
        yield from (one.path for one in RunFolder.within(folder) if one.is_run)
