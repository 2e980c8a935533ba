"""What Hydra knows of the command that is running: whether it is a sweep, which configurations it chose, and where."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from deblurlab.run.claim import claim
from deblurlab.run.run_folder import RunFolder


def is_sweep() -> bool:
    """Whether the command runs many jobs, of which this is one."""
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)


def choices() -> dict[str, str]:
    """The names of the configurations that were chosen, by their group: ``{"model": "unet16", "data": "reds", ...}``.

    A group is left out if none was chosen from it.
    """
    return {str(group): str(name) for group, name in HydraConfig.get().runtime.choices.items() if name is not None}


def sets_below(group: str) -> bool:
    """Whether the command line sets a key of a group, as ``trainer.precision=32`` does."""
    return any(override.lstrip("+~").startswith(f"{group}.") for override in HydraConfig.get().overrides.task)


def chosen_folder(cfg: DictConfig) -> RunFolder:
    """The folder that Hydra has made for this run, alone or in a sweep. ``cfg.run`` is set to it."""
    folder = from_here(Path(HydraConfig.get().runtime.output_dir))
    cfg.run = str(folder)
    return RunFolder(folder)


def from_here(path: Path) -> Path:
    """A path without that of the working directory, where it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def quoted(text: str) -> str:
    """A value as Hydra's grammar takes any text: in quotes, before which, within the text, stands a backslash.

    Backslashes count as themselves, except before a quote, where each of them needs another one.
    """
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", text)
    return "'" + re.sub(r"(\\+)$", r"\1\1", escaped) + "'"


def claim_folder(folder: RunFolder, cfg: DictConfig, *, chosen: Mapping[str, str]) -> None:
    """Lock the run's folder and write its configuration there, with the overrides and settings of this command.

    Args:
        folder: The run's folder.
        cfg: The run's configuration.
        chosen: The names of its model's and its data set's configurations; a resumed run has those of before.

    Raises:
        ValueError: see :func:`~deblurlab.run.claim.claim`.
    """
    settings = HydraConfig.get()
    overrides = OmegaConf.to_container(settings.overrides.task, resolve=False)  # an override may hold ${...}
    assert isinstance(overrides, list)
    hydra: Any = OmegaConf.to_container(OmegaConf.structured(settings), resolve=False)
    hydra["runtime"]["choices"] |= dict(chosen)
    claim(folder, cfg, overrides=overrides, hydra=hydra)
