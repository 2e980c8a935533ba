"""Where a run lives and what it was. Imports nothing heavy: commands need it before they know what to do."""

import atexit
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf

from deblurlab.run.defaults import with_defaults
from deblurlab.run.saved_yaml import read_yaml


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run, and the name of each file that a run leaves in it. Each name stands here and nowhere else.

    Others rely on these names, so a change of one is a change that users must be told of. Nothing is read or written
    here, and no file need exist. The folder of an evaluation has a few of the same files.

    Attributes:
        path: The folder.
    """

    path: Path

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
        """Hydra's own settings; from them come the names of the data set's and the model's configurations."""
        return self.path / ".hydra" / "hydra.yaml"

    @property
    def lock_file(self) -> Path:
        """Locked by the process that trains in this folder, as long as it lives."""
        return self.path / ".hydra" / "lock"

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
        """A table with one row per test image: what is known of it, and its scores."""
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
        """All that was said on the terminal, with the time."""
        return self.path / "run.log"

    @property
    def diverged_file(self) -> Path:
        """The batch at which the training diverged; only there if it did."""
        return self.path / "diverged.pt"

    @property
    def steps(self) -> Path:
        """The folder in which ``logger=csv`` keeps the values of each logged step."""
        return self.path / "steps"

    @property
    def wandb_id_file(self) -> Path:
        """The id of the run in Weights & Biases, under which a resumed run goes on."""
        return self.path / "wandb" / "run_id"

    @property
    def job_file(self) -> Path:
        """What a sweep knows of this run, if it is one of a sweep's jobs."""
        return self.path / "job.json"

    @property
    def failure_file(self) -> Path:
        """Why this run failed, if it is one of a sweep's jobs: the last lines that it printed."""
        return self.path / "failure.txt"

    def evaluation(self, data: str) -> "RunFolder":
        """The folder for what ``evaluate`` finds on a data set: scores, the table per image, a panel."""
        return RunFolder(self.path / "evaluate" / data)

    def evaluations(self) -> dict[str, "RunFolder"]:
        """The evaluations that there are, by the name of their data set."""
        found = (RunFolder(path) for path in sorted((self.path / "evaluate").glob("*")))
        return {one.path.name: one for one in found if one.scores_file.is_file()}

    @property
    def is_run(self) -> bool:
        """Whether a run has been started in this folder."""
        return self.config_file.is_file()

    @classmethod
    def of_checkpoint(cls, file: Path) -> "RunFolder":
        """The folder of the run that a checkpoint belongs to by its place: ``RUN/checkpoints/NAME.ckpt``."""
        return cls(file.absolute().parents[1])

    @classmethod
    def within(cls, folder: Path) -> list["RunFolder"]:
        """The folders directly within ``folder``, by name."""
        return [cls(path) for path in sorted(folder.glob("*")) if path.is_dir()]


def checkpoint_file(ckpt_path: str, folder: Path) -> Path:
    """The file that ``ckpt_path`` names: ``last`` or ``best`` of the run in ``folder``, or a path.

    Raises:
        ValueError: if there is no such file.
    """
    file = folder / "checkpoints" / f"{ckpt_path}.ckpt" if ckpt_path in ("last", "best") else Path(ckpt_path)
    if not file.is_file():
        raise ValueError(f"ckpt_path={ckpt_path}: there is no checkpoint {file}.")
    return file


def chosen_folder(cfg: DictConfig) -> Path:
    """The folder that Hydra has chosen for this run, alone or in a sweep; ``cfg.run`` names it then."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    if folder.is_relative_to(Path.cwd()):
        folder = folder.relative_to(Path.cwd())
    cfg.run = str(folder)
    return folder


# What a resumed run cannot change; the optimizer's state brings its learning rate along.
_KEPT = (
    "model.network",
    "model.optimizer",
    "model.critic_optimizer",
    "data._target_",
    "data.batch_size",
    "seed",
    "monitor",
)


def claim(folder: Path, cfg: DictConfig) -> None:
    """Put the run's configuration into its folder, which no other process can claim while this one lives. On a pod
    slice only the first host does.

    Raises:
        ValueError: if the folder holds another run, which would be overwritten, or one goes on in it now.
    """
    hydra, saved, kept = HydraConfig.get(), folder / ".hydra", _whole(cfg)
    saved.mkdir(exist_ok=True)
    lock = FileLock(saved / "lock", is_singleton=True)
    try:
        lock.acquire(timeout=0)
        atexit.register(lock.release)
    except Timeout as error:
        raise ValueError(f"run={folder} is being written by another process. Choose another folder.") from error
    except NotImplementedError:  # some network file systems cannot lock
        pass
    if (folder / "checkpoints").is_dir() or (folder / "metrics.json").is_file():
        if cfg.ckpt_path is None:
            raise ValueError(
                f"run={folder} holds a run already. Resume it with ckpt_path=last, or choose another folder."
            )
        before = _whole(load_run(str(folder)).config)
        for key in _KEPT:
            there, here = OmegaConf.select(before, key), OmegaConf.select(kept, key)
            if there != here:
                told = read_yaml(saved / "overrides.yaml")
                overrides = " ".join(map(str, told)) if isinstance(told, ListConfig) else ""
                raise ValueError(
                    f"run={folder} has {key}={there}, not {here}. Repeat its overrides to resume: {overrides}"
                )
    if kept.data.get("root") and "://" not in str(kept.data.root):  # to be found from everywhere
        kept.data.root = str(Path(str(kept.data.root)).expanduser().absolute())
    OmegaConf.save(kept, saved / "config.yaml")
    OmegaConf.save(hydra.overrides.task, saved / "overrides.yaml")
    OmegaConf.save(OmegaConf.create({"hydra": hydra}), saved / "hydra.yaml")


def _whole(config: DictConfig) -> DictConfig:
    """A configuration with every value resolved, and with the defaults of its classes."""
    whole: DictConfig = OmegaConf.create(with_defaults(OmegaConf.to_container(config, resolve=True)))
    return whole


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as its folder tells it: the names of its groups and the whole configuration."""

    model: str
    data: str
    config: DictConfig


def load_run(folder: str) -> Run:
    """Read a run's folder.

    Raises:
        ValueError: if it is not the folder of a run.
    """
    saved = Path(folder) / ".hydra"
    if not (saved / "config.yaml").is_file():
        raise ValueError(f"run={folder} is not the folder of a run: it has no .hydra/config.yaml.")
    config = read_yaml(saved / "config.yaml")
    if not isinstance(config, DictConfig):
        raise ValueError(f"{saved / 'config.yaml'} is damaged: it holds no configuration.")
    for section in ("model", "data", "trainer"):
        if not isinstance(config._get_node(section), DictConfig):
            raise ValueError(f"{saved / 'config.yaml'} is damaged: {section} is missing.")
    _require_resolved(OmegaConf.to_container(config, resolve=False), saved / "config.yaml")
    config.model.pop("generator_ckpt", None)  # until version 0.1.0 the key ``weights`` had this second name
    return Run(model=_choice(saved / "hydra.yaml", "model"), data=_choice(saved / "hydra.yaml", "data"), config=config)


def _require_resolved(value: Any, file: Path) -> None:
    """Raise ValueError if there is an interpolation in nested mappings and lists: it could read the environment."""
    if isinstance(value, dict):
        for one in (*value, *value.values()):
            _require_resolved(one, file)
    elif isinstance(value, list):
        for one in value:
            _require_resolved(one, file)
    elif isinstance(value, str) and "${" in value:
        raise ValueError(f"{file} is not as a run writes it: {value[:200]!r} would be looked up elsewhere.")


def _choice(file: Path, group: str) -> str:
    """The option of a group that a run's ``hydra.yaml`` names; a part of the names of folders."""
    settings = read_yaml(file)
    # other parts of the file hold interpolations of Hydra's own
    value: Any = OmegaConf.to_container(settings, resolve=False)
    for key in ("hydra", "runtime", "choices", group):
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str) or not re.fullmatch(r"(?!\.)[\w.+ -]+(/(?!\.)[\w.+ -]+)*", value):
        raise ValueError(f"{file} is damaged: hydra.runtime.choices.{group} is no name.")
    return value


def weights_name(weights: str) -> str:
    """What to call weights: those of a run by its folder, others by their file or shipped name."""
    path = Path(weights)
    if path.name == "weights.safetensors":
        return path.absolute().parent.name
    if path.suffix == ".ckpt":
        return path.absolute().parents[1].name
    return path.stem if path.suffix == ".safetensors" else path.absolute().name
