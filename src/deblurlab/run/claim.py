"""How a training takes possession of its folder: no other process writes there, and no other run is overwritten."""

import atexit
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from omegaconf import DictConfig, ListConfig, OmegaConf

from deblurlab.files.whole_file import remove_partials, whole_file
from deblurlab.run.defaults import with_defaults
from deblurlab.run.run_folder import RunFolder
from deblurlab.run.saved_yaml import read_yaml


def claim(folder: RunFolder, cfg: DictConfig, *, overrides: Sequence[str], hydra: Any) -> None:
    """Lock a run's folder as long as this process lives, and write the run's configuration into it.

    On a TPU pod slice the first host alone does this.

    Args:
        folder: The run's folder; it is made if it does not exist.
        cfg: The run's configuration. A relative ``data.root`` is kept as an absolute path, so that it is found from
            everywhere.
        overrides: The overrides of the command line.
        hydra: Hydra's own settings.

    The files of a run that is resumed are changed only where they say something else now, and Hydra's own settings
    stay those that the run was started with.

    Raises:
        ValueError: if another process writes into the folder; or if it holds a run and ``cfg.ckpt_path`` does not
            resume one.
    """
    folder.lock_file.parent.mkdir(parents=True, exist_ok=True)
    lock = _lock(folder)
    try:
        lock.acquire(timeout=0)
        atexit.register(lock.release)
    except Timeout as error:
        raise ValueError(f"run={folder} is being written by another process. Choose another folder.") from error
    except NotImplementedError:  # some network file systems cannot lock
        pass
    else:
        remove_partials(folder.path, folder.lock_file.parent, folder.checkpoints)
    resumes = folder.holds_run and folder.is_run
    if folder.holds_run and cfg.ckpt_path is None:
        raise ValueError(f"run={folder} already holds a run. Resume it with ckpt_path=last, or choose another folder.")
    kept = _whole(cfg)
    if kept.data.get("root") and "://" not in str(kept.data.root):
        kept.data.root = str(Path(str(kept.data.root)).expanduser().absolute())
    told = list(overrides)
    if resumes:
        told = [*_told_before(folder), *(one for one in told if not one.startswith(("run=", "ckpt_path=")))]
    # config.yaml last: with it the folder counts as the folder of a run, and then has the others
    files = {
        folder.overrides_file: OmegaConf.create(list(dict.fromkeys(told))),
        folder.hydra_file: OmegaConf.create({"hydra": hydra}),
        folder.config_file: kept,
    }
    if resumes:
        del files[folder.hydra_file]
    for file, content in files.items():
        text = OmegaConf.to_yaml(content)
        if not resumes or not file.is_file() or file.read_text() != text:
            with whole_file(file) as partial:
                partial.write_text(text)


def _lock(folder: RunFolder) -> FileLock:
    """The lock of a folder, one for each in this process, however its path is written."""
    return FileLock(folder.lock_file.absolute(), is_singleton=True)


def is_bare(folder: RunFolder) -> bool:
    """Whether the folder is this process's, and holds no more than how its run was begun: nothing was trained."""
    if not _lock(folder).is_locked:
        return False
    begun = {folder.lock_file.parent, folder.log_file, folder.provenance_file}
    left = {file for file in folder.path.rglob("*") if file.is_file()}
    # the logger csv writes the configuration before the first step
    return all(begun & {file, *file.parents} or file.name == "hparams.yaml" for file in left)


def _told_before(folder: RunFolder) -> list[str]:
    """The overrides that a run was started and resumed with so far."""
    told = read_yaml(folder.overrides_file) if folder.overrides_file.is_file() else None
    texts: Any = OmegaConf.to_container(told, resolve=False) if isinstance(told, ListConfig) else []
    return [str(one) for one in texts]


def _whole(config: DictConfig) -> DictConfig:
    """A configuration with every value resolved, and with the defaults of its classes."""
    whole: DictConfig = OmegaConf.create(with_defaults(OmegaConf.to_container(config, resolve=True)))
    return whole
