"""How a training takes possession of its folder: no other process writes there, and no other run is overwritten."""

import atexit
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from omegaconf import DictConfig, ListConfig, OmegaConf

from deblurlab.files.whole_file import whole_file
from deblurlab.run.defaults import with_defaults
from deblurlab.run.run_folder import RunFolder
from deblurlab.run.saved_run import load_run
from deblurlab.run.saved_yaml import read_yaml

# A resumed run must have the same values of these keys. Others may change, such as the number of epochs. The optimizer
# is among them because its state brings the learning rate along: another rate would have no effect.
_KEPT = (
    "model.network",
    "model.optimizer",
    "model.critic_optimizer",
    "data._target_",
    "data.batch_size",
    "seed",
    "monitor",
)


def claim(folder: RunFolder, cfg: DictConfig, *, overrides: Sequence[str], hydra: Any) -> None:
    """Lock a run's folder as long as this process lives, and write the run's configuration into it.

    On a TPU pod slice the first host alone does this.

    Args:
        folder: The run's folder; it is made if it does not exist.
        cfg: The run's configuration. A relative ``data.root`` is kept as an absolute path, so that it is found from
            everywhere.
        overrides: The overrides of the command line.
        hydra: Hydra's own settings.

    Raises:
        ValueError: if another process writes into the folder; if it holds a run and ``cfg.ckpt_path`` does not resume
            one; or if the run in it is of another network, optimizer, batch size, seed or the like.
    """
    folder.lock_file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.lock_file, is_singleton=True)
    try:
        lock.acquire(timeout=0)
        atexit.register(lock.release)
    except Timeout as error:
        raise ValueError(f"run={folder} is being written by another process. Choose another folder.") from error
    except NotImplementedError:  # some network file systems cannot lock
        pass
    kept = _whole(cfg)
    if folder.checkpoints.is_dir() or folder.scores_file.is_file():
        _require_same_run(folder, kept)
    if kept.data.get("root") and "://" not in str(kept.data.root):
        kept.data.root = str(Path(str(kept.data.root)).expanduser().absolute())
    # config.yaml last: with it the folder counts as the folder of a run, and then has the others
    files = {
        folder.overrides_file: OmegaConf.create(list(overrides)),
        folder.hydra_file: OmegaConf.create({"hydra": hydra}),
        folder.config_file: kept,
    }
    for file, content in files.items():
        with whole_file(file) as partial:
            OmegaConf.save(content, partial)


def _require_same_run(folder: RunFolder, cfg: DictConfig) -> None:
    if cfg.ckpt_path is None:
        raise ValueError(f"run={folder} holds a run already. Resume it with ckpt_path=last, or choose another folder.")
    before = _whole(load_run(folder.path).config)
    for key in _KEPT:
        there, here = OmegaConf.select(before, key), OmegaConf.select(cfg, key)
        if there != here:
            told = read_yaml(folder.overrides_file)
            overrides = " ".join(map(str, told)) if isinstance(told, ListConfig) else ""
            raise ValueError(f"run={folder} has {key}={there}, not {here}. Repeat its overrides to resume: {overrides}")


def _whole(config: DictConfig) -> DictConfig:
    """A configuration with every value resolved, and with the defaults of its classes."""
    whole: DictConfig = OmegaConf.create(with_defaults(OmegaConf.to_container(config, resolve=True)))
    return whole
