"""Starts a run in Weights & Biases: online if that works, else on the disk, and never with an error."""

import logging
import os
import uuid
from pathlib import Path
from typing import Any, Literal

from deblurlab.files.whole_file import write_whole
from deblurlab.loggers.wandb_rows import last_stored_step
from deblurlab.run.run_folder import RunFolder

log = logging.getLogger(__name__)

Mode = Literal["offline", "disabled"]


def start(
    folder: Path,
    *,
    project: str,
    name: str,
    group: str,
    offline: bool | None,
    upload_seconds: float,
    last_logged: int | None = None,
) -> Any:
    """Start a run, or continue the one whose id is stored in the folder.

    Args:
        folder: The run's folder; W&B keeps its files in ``folder/wandb``.
        project: The project in W&B.
        name: The run's name in the dashboard.
        group: The group of the run; runs of one group are shown together.
        offline: Whether everything stays on the disk. None stays offline if there is no API key, unless the environment
            variable ``WANDB_MODE`` is set.
        upload_seconds: The longest time that the end of the run waits for uploads, in seconds.
        last_logged: The last step that the run has logged. It is used instead of W&B's last row if W&B's files in the
            folder are missing or cannot be read.

    Returns:
        A ``wandb.Run``: an online one if that works, else an offline one. If the folder cannot be written either, it is
        a disabled one, which accepts everything and stores nothing. Its ``step`` is the one after W&B's last row of
        this run, which an online run gets from the server, and an offline one from the files in the folder.
    """
    import wandb

    def init(mode: Mode | None) -> Any:
        on_disk = mode != "disabled"
        return wandb.init(
            project=project,
            name=name,
            group=group,
            dir=folder.resolve() if on_disk else None,  # W&B's service has its own working directory
            id=_remembered_id(RunFolder(folder).wandb_id_file) if on_disk else None,
            resume=None if mode else "allow",
            mode=mode,
            settings=wandb.Settings(
                silent=True, init_timeout=60, finish_timeout=upload_seconds, finish_timeout_raises=True
            ),
        )

    last = _last_step(folder, last_logged)  # before this part of the run has its own files
    wandb.setup(wandb.Settings(silent=True))
    attempts: tuple[Mode | None, ...] = ("offline", "disabled") if offline else (None, "offline", "disabled")
    for mode in attempts:
        try:
            if mode is None and "WANDB_MODE" not in os.environ and not wandb.login(prompt=False):
                log.info("W&B has no API key (wandb login) and stays offline")
                continue
            run = init(mode)
            if run.offline and mode != "disabled" and last is not None:
                run.log({}, step=last + 1, commit=False)
        except Exception as error:
            log.warning(f"W&B cannot start {mode or 'online'}: {error}")
            continue
        if not run.offline and run.url:
            log.info(f"W&B: {run.url}")
        return run
    raise AssertionError("a disabled run always starts")


def _last_step(folder: Path, last_logged: int | None) -> int | None:
    """The last step with a row of W&B's on the disk; None or -1 if there is none."""
    try:
        file = RunFolder(folder).wandb_id_file
        stored = last_stored_step(file.parent, file.read_text(encoding="utf-8")) if file.is_file() else None
    except Exception as error:  # another version of W&B, or a damaged file
        log.warning(f"W&B: its files of earlier parts of this run cannot be read: {error!r}")
        stored = None
    return last_logged if stored is None else stored


def _remembered_id(file: Path) -> str:
    """The id that is stored in a run's folder; a new folder gets a new id."""
    if not file.exists():
        write_whole(file, uuid.uuid4().hex[:8])
    return file.read_text(encoding="utf-8")
