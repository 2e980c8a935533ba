"""The last message of a command that a signal ends: which signal, and how to continue."""

import signal
from pathlib import Path

from hydra.conf import HydraConf
from hydra.types import RunMode
from omegaconf import DictConfig

from deblurlab.app.invocation import from_here
from deblurlab.checks.command_line import assignment
from deblurlab.run import trusted
from deblurlab.run.run_folder import RunFolder
from deblurlab.run.saved_yaml import read_yaml

_HOW_TO_CONTINUE = {
    "prepare": "the same command continues",
    "restore": "the same command with existing=skip continues",
}


def last_words_of(command: str, settings: HydraConf | None, ended_by: signal.Signals) -> str:
    """The message, in one line.

    Args:
        command: The command's name.
        settings: Hydra's settings of the job; None if the command ended before it had any.
        ended_by: The signal.
    """
    why = "interrupted (Ctrl-C)" if ended_by == signal.SIGINT else f"terminated ({ended_by.name})"
    how = _HOW_TO_CONTINUE.get(command)
    if command == "train" and settings is not None:
        how = _how_to_continue_training(settings)
    return f"{why}: {how}." if how else f"{why}."


def _how_to_continue_training(settings: HydraConf) -> str:
    if settings.mode == RunMode.MULTIRUN:
        return f"the same command with {assignment('hydra.sweep.dir', settings.sweep.dir)} continues"
    folder = RunFolder(from_here(Path(settings.runtime.output_dir)))
    if not folder.last_checkpoint.is_file():
        return f"run={folder} has no checkpoint yet"
    return f"{assignment('run', folder)} ckpt_path=last {_trust(folder)}continues from the last checkpoint"


def _trust(folder: RunFolder) -> str:
    """The setting that lets the run's own settings name classes of the user's packages; "" if they name none."""
    try:
        config = read_yaml(folder.config_file)
    except (OSError, ValueError):  # whatever has happened to the file, the command has to end
        return ""
    packages = trusted.foreign_packages(config) if isinstance(config, DictConfig) else []
    return f"trust=[{','.join(packages)}] " * bool(packages)
