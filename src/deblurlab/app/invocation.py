"""Reads from Hydra how the command was called: whether it is a sweep, its chosen configurations, its folder."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from deblurlab.run.claim import claim
from deblurlab.run.run_folder import RunFolder


def is_sweep() -> bool:
    """Whether this is one of the jobs of a sweep."""
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)


def choices() -> dict[str, str]:
    """The names of the configurations that were chosen, by their group: ``{"model": "unet16", "data": "reds", ...}``.

    A group is left out if none was chosen from it.
    """
    return {str(group): str(name) for group, name in HydraConfig.get().runtime.choices.items() if name is not None}


def sets_below(group: str) -> bool:
    """Whether the command line sets a key of a group, as ``trainer.precision=32`` does."""
    return any(override.lstrip("+~").startswith(f"{group}.") for override in HydraConfig.get().overrides.task)


def parse_overrides(overrides: Iterable[str]) -> list[Override]:
    """Parse overrides as Hydra's command line does; hydra.errors.OverrideParseException if one cannot be read."""
    return OverridesParser.create().parse_overrides(list(overrides))


def chosen_folder(cfg: DictConfig) -> RunFolder:
    """The folder that Hydra has made for this run, alone or in a sweep. It also becomes ``cfg.run``."""
    folder = from_here(Path(HydraConfig.get().runtime.output_dir))
    cfg.run = str(folder)
    return RunFolder(folder)


def from_here(path: Path) -> Path:
    """A path relative to the working directory, if it lies below it; otherwise the path itself."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def claim_folder(folder: RunFolder, cfg: DictConfig, *, chosen: Mapping[str, str]) -> None:
    """Lock the run's folder and write its configuration there, with the overrides and settings of this command.

    Args:
        folder: The run's folder.
        cfg: The run's configuration.
        chosen: The names of the configurations of model and data; a resumed run keeps those that it was started with.

    Raises:
        ValueError: See :func:`~deblurlab.run.claim.claim`.
    """
    settings = HydraConfig.get()
    overrides = OmegaConf.to_container(settings.overrides.task, resolve=False)  # an override may hold ${...}
    assert isinstance(overrides, list)
    hydra: Any = OmegaConf.to_container(OmegaConf.structured(settings), resolve=False)
    hydra["runtime"]["choices"] |= dict(chosen)
    claim(folder, cfg, overrides=overrides, hydra=hydra)
