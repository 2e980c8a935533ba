"""Loggers that need more than their class."""

import logging
import os

import wandb
from lightning.pytorch.loggers import WandbLogger

log = logging.getLogger(__name__)


def wandb_logger(
    *, folder: str, project: str, name: str | None = None, group: str | None = None, offline: bool | None = None
) -> WandbLogger:
    """A Weights & Biases logger that never asks for anything.

    Args:
        folder: the run's folder; W&B's files go to ``folder/wandb``.
        project: W&B project.
        name: the run's name in the dashboard; W&B invents one by default.
        group: runs of one group are shown together.
        offline: keep everything on disk for ``wandb sync``; by default where there is no API key, unless
            ``WANDB_MODE`` says what to do.
    """
    if offline is None:
        offline = "WANDB_MODE" not in os.environ and not wandb.login(prompt=False)
    if offline:
        log.info(f"W&B has no API key (wandb login) and stays offline; later: wandb sync {folder}/wandb/offline-run-*")
    mode = "offline" if offline else None  # Lightning's own way, an environment variable, comes too late
    logger = WandbLogger(project=project, name=name, group=group, save_dir=folder, offline=offline, mode=mode)
    logger._wandb_init.pop("anonymous")  # W&B 0.31 warns of it whatever its value
    return logger
