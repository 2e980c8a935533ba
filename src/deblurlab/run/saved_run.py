"""Reads a run's configuration from its folder, which a stranger may have made. Imports nothing heavy."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from deblurlab.run.names import Named
from deblurlab.run.run_folder import RunFolder
from deblurlab.run.saved_yaml import read_yaml


@dataclass(frozen=True, kw_only=True)
class Run(Named):
    """A run, finished or not. Every value of its configuration is resolved.

    Attributes:
        folder: The run's folder.
    """

    folder: RunFolder


def load_run(folder: str | Path, *, key: str = "run") -> Run:
    """Read the configuration of a run from its folder.

    Args:
        folder: The run's folder.
        key: The key of the command line that names it, for the error.

    Raises:
        ValueError: If it is not the folder of a run, or its configuration is damaged.
    """
    files = RunFolder(Path(folder))
    source = files.config_file
    if not files.is_run:
        raise ValueError(f"{key}={folder} is not the folder of a run: it has no {source.relative_to(files.path)}.")
    config = read_yaml(source)
    if not isinstance(config, DictConfig):
        raise ValueError(f"{source} is damaged: it holds no configuration.")
    for section in ("model", "data", "trainer"):
        if not isinstance(config._get_node(section), DictConfig):
            raise ValueError(f"{source} is damaged: {section} is missing.")
    _require_resolved(OmegaConf.to_container(config, resolve=False), source)
    config.model.pop("generator_ckpt", None)  # until version 0.1.0 the key ``weights`` had this second name
    choices = {group: _choice(files.hydra_file, group) for group in ("model", "data")}
    return Run(folder=files, choices=choices, config=config)


def earlier_overrides(folder: RunFolder) -> list[str]:
    """The overrides that a run was started and resumed with so far; none if its folder does not tell them."""
    saved = read_yaml(folder.overrides_file) if folder.overrides_file.is_file() else None
    texts: Any = OmegaConf.to_container(saved, resolve=False) if isinstance(saved, ListConfig) else []
    return [str(one) for one in texts]


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
    """The configuration that Hydra chose for a group. The name is checked, since folders may be named after it."""
    settings = read_yaml(file)
    # not resolved, because other parts of the file hold interpolations of Hydra's own
    value: Any = OmegaConf.to_container(settings, resolve=False)
    for key in ("hydra", "runtime", "choices", group):
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str) or not re.fullmatch(r"(?!\.)[\w.+ -]+(/(?!\.)[\w.+ -]+)*", value):
        raise ValueError(f"{file} is damaged: hydra.runtime.choices.{group} is not a name.")
    return value
