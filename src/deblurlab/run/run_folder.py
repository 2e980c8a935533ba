"""Where a run lives and what it was. Imports nothing heavy: commands need it before they know what to do."""

import atexit
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf

from deblurlab.run.saved_yaml import read_yaml


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
    hydra, saved = HydraConfig.get(), folder / ".hydra"
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
        before = load_run(str(folder)).config
        for key in _KEPT:
            there, here = OmegaConf.select(before, key), OmegaConf.select(cfg, key)
            if there != here:
                told = read_yaml(saved / "overrides.yaml")
                overrides = " ".join(map(str, told)) if isinstance(told, ListConfig) else ""
                raise ValueError(
                    f"run={folder} has {key}={there}, not {here}. Repeat its overrides to resume: {overrides}"
                )
    kept = OmegaConf.create(OmegaConf.to_container(cfg, resolve=True))
    if kept.data.get("root") and "://" not in str(kept.data.root):  # to be found from everywhere
        kept.data.root = str(Path(str(kept.data.root)).expanduser().absolute())
    OmegaConf.save(kept, saved / "config.yaml")
    OmegaConf.save(hydra.overrides.task, saved / "overrides.yaml")
    OmegaConf.save(OmegaConf.create({"hydra": hydra}), saved / "hydra.yaml")


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
