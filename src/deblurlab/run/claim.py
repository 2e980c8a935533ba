"""Reserves a run's folder for a training: no other process writes there, and no other run is overwritten."""

import atexit
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from filelock import FileLock, Timeout
from omegaconf import DictConfig, OmegaConf

from deblurlab.files.whole_file import remove_partials, write_whole
from deblurlab.run.changed_settings import absolute_root
from deblurlab.run.defaults import with_defaults
from deblurlab.run.run_folder import RunFolder
from deblurlab.run.saved_run import earlier_overrides


def claim(folder: RunFolder, cfg: DictConfig, *, overrides: Sequence[str], hydra: Any) -> None:
    """Lock a run's folder for the life of this process, and write the run's configuration into it.

    On a TPU pod slice only the first host does this. When a run is resumed, files are written only if their content
    has changed, and Hydra's own settings stay those that the run was started with.

    Args:
        folder: The run's folder; it is made if it does not exist.
        cfg: The run's configuration. A relative ``data.root`` is saved as an absolute path, so that later commands find
            the data from any working directory.
        overrides: The overrides of the command line.
        hydra: Hydra's own settings.

    Raises:
        ValueError: If another process writes into the folder, or it holds a run and ``cfg.ckpt_path`` is None.
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
    config = _resolved(cfg)
    if root := config.data.get("root"):
        config.data.root = absolute_root(root)
    words = list(overrides)
    if resumes:
        words = [*earlier_overrides(folder), *(one for one in words if not one.startswith(("run=", "ckpt_path=")))]
    # config.yaml is written last: once it exists, the folder counts as a run's, and must have the other files
    files = {
        folder.overrides_file: OmegaConf.create(list(dict.fromkeys(words))),
        folder.hydra_file: OmegaConf.create({"hydra": hydra}),
        folder.config_file: config,
    }
    if resumes:
        del files[folder.hydra_file]
    for file, content in files.items():
        text = OmegaConf.to_yaml(content)
        if not resumes or not file.is_file() or file.read_text(encoding="utf-8") != text:
            write_whole(file, text)


def _lock(folder: RunFolder) -> FileLock:
    """The lock of a folder. Within this process, all calls for one folder return the same object."""
    return FileLock(folder.lock_file.absolute(), is_singleton=True)


def take_over(folder: RunFolder) -> None:
    """Lock a folder that processes which this one has started had locked until they ended."""
    lock = _lock(folder)
    with suppress(Timeout, NotImplementedError):
        lock.acquire(timeout=0)
        atexit.register(lock.release)  # which also keeps the object, without which the lock would be free again


def is_bare(folder: RunFolder) -> bool:
    """Whether this process has locked the folder, and it only has the files of a run's start: nothing was trained."""
    if not _lock(folder).is_locked or folder.begun_file.exists():
        return False
    of_start = {folder.lock_file.parent, folder.log_file, folder.provenance_file}
    files = {file for file in folder.path.rglob("*") if file.is_file()}
    # the logger csv writes the configuration before the first step
    return all(of_start & {file, *file.parents} or file.name == "hparams.yaml" for file in files)


def _resolved(config: DictConfig) -> DictConfig:
    """A configuration with every value resolved, and with the defaults of its classes."""
    whole: DictConfig = OmegaConf.create(with_defaults(OmegaConf.to_container(config, resolve=True)))
    return whole
