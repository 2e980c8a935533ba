"""The names of the files in a run's folder. Imports nothing heavy, because commands need it first."""

from dataclasses import dataclass
from pathlib import Path

# The prefix of weights on the Hugging Face Hub.
HUB = "hf://"


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run, and the paths of the files in it. No other module contains these file names.

    Users rely on the names, so a change of one belongs in CHANGELOG.md. Nothing is read or written here, and no file
    need exist. The folder of an evaluation has a few of the same files.

    Attributes:
        path: The folder.
    """

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def config_file(self) -> Path:
        """The whole configuration with every value resolved. A folder with this file is the folder of a run."""
        return self.path / ".hydra" / "config.yaml"

    @property
    def overrides_file(self) -> Path:
        """The overrides of the command line, a list."""
        return self.path / ".hydra" / "overrides.yaml"

    @property
    def hydra_file(self) -> Path:
        """Hydra's own settings, which include the names of the chosen configurations of data and model."""
        return self.path / ".hydra" / "hydra.yaml"

    @property
    def lock_file(self) -> Path:
        """The lock that the process training in this folder holds until it ends."""
        return self.path / ".hydra" / "lock"

    @property
    def begun_file(self) -> Path:
        """An empty file, which is there from the first step of the training on."""
        return self.path / ".hydra" / "begun"

    @property
    def provenance_file(self) -> Path:
        """One entry per start of the run: command line, commits, versions and machine."""
        return self.path / "provenance.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def best_checkpoint(self) -> Path:
        """The state after the epoch with the best monitored value."""
        return self.checkpoints / "best.ckpt"

    @property
    def last_checkpoint(self) -> Path:
        """The newest state, from which the run can be resumed."""
        return self.checkpoints / "last.ckpt"

    @property
    def weights_file(self) -> Path:
        """The best weights, with the network's configuration: all that restoring needs."""
        return self.path / "weights.safetensors"

    @property
    def history_file(self) -> Path:
        """A table with one row per epoch: learning rate, seconds, training and validation metrics."""
        return self.path / "metrics.csv"

    @property
    def scores_file(self) -> Path:
        """The mean test scores of the restored and of the blurred images. A run with this file is finished."""
        return self.path / "metrics.json"

    @property
    def per_image_file(self) -> Path:
        """A table with one row per test image: its labels and its scores."""
        return self.path / "per_image.csv"

    @property
    def curves_picture(self) -> Path:
        """Loss, SSIM and PSNR over the epochs."""
        return self.path / "curves.png"

    @property
    def panel_picture(self) -> Path:
        """Some images, blurred, restored and sharp."""
        return self.path / "panel.png"

    @property
    def log_file(self) -> Path:
        """The log, with the time of each message."""
        return self.path / "run.log"

    @property
    def diverged_file(self) -> Path:
        """The batch at which the training diverged; it exists only in that case."""
        return self.path / "diverged.pt"

    @property
    def steps(self) -> Path:
        """The folder to which ``logger=csv`` writes the values of each logged step."""
        return self.path / "steps"

    @property
    def wandb_id_file(self) -> Path:
        """The id of the run in Weights & Biases, under which a resumed run continues."""
        return self.path / "wandb" / "run_id"

    @property
    def wandb_rows_file(self) -> Path:
        """The rows that this run has logged to Weights & Biases, which loses the last ones when the run is killed."""
        return self.path / "wandb" / "rows.jsonl"

    @property
    def job_file(self) -> Path:
        """The record that a sweep keeps of this run, if it is one of the sweep's jobs."""
        return self.path / "job.json"

    @property
    def failure_file(self) -> Path:
        """Why this run failed, if it is one of a sweep's jobs: the last lines that it printed."""
        return self.path / "failure.txt"

    def evaluation(self, name: str) -> "RunFolder":
        """The folder of ``evaluate`` for the results on a data set: scores, the table per image, a panel.

        Args:
            name: The name of the data set, with the settings that change the result, as in ``cifar10-tta``.
        """
        return RunFolder(self.path / "evaluate" / name)

    def evaluations(self) -> dict[str, "RunFolder"]:
        """The existing evaluations by their names, see :meth:`evaluation`."""
        found = (RunFolder(path) for path in sorted((self.path / "evaluate").glob("*")))
        return {one.path.name: one for one in found if one.scores_file.is_file()}

    @property
    def is_run(self) -> bool:
        """Whether a run has been started in this folder."""
        return self.config_file.is_file()

    @property
    def holds_run(self) -> bool:
        """Whether there are results of a run that a new one would overwrite: a checkpoint, or test scores."""
        return any(self.checkpoints.glob("*.ckpt")) or self.scores_file.is_file()

    @classmethod
    def of_checkpoint(cls, file: Path) -> "RunFolder":
        """The folder of the run that a checkpoint belongs to according to its path, ``RUN/checkpoints/NAME.ckpt``."""
        return cls(file.absolute().parent.parent)

    @classmethod
    def within(cls, folder: Path) -> list["RunFolder"]:
        """The folders directly within ``folder``, by name."""
        return [cls(path) for path in sorted(folder.glob("*")) if path.is_dir()]


def checkpoint_file(ckpt_path: str, folder: RunFolder) -> Path:
    """The file that the key ``ckpt_path`` names: ``last`` or ``best`` of the run in ``folder``, or a path.

    Raises:
        ValueError: If there is no such file.
    """
    file = {"last": folder.last_checkpoint, "best": folder.best_checkpoint}.get(ckpt_path, Path(ckpt_path))
    if not file.is_file():
        cure = " Start without ckpt_path, or with ckpt_path=auto." if ckpt_path == "last" else ""
        raise ValueError(f"ckpt_path={ckpt_path}: there is no checkpoint {file}.{cure}")
    return file


def weights_name(weights: str) -> str:
    """The name of weights in titles and file names: the folder's name for those of a run, else the file's name.

    Args:
        weights: A run's folder, a file in it, another weights file or one on the Hub, or the name of shipped weights.
    """
    path = Path(weights.split("@sha256=")[0] if weights.startswith(HUB) else weights)
    if path.name == RunFolder(path.parent).weights_file.name:
        return path.absolute().parent.name
    if path.suffix == ".ckpt":
        return RunFolder.of_checkpoint(path).path.name
    return path.stem if path.suffix in (".safetensors", ".pth", ".pt") else path.absolute().name
