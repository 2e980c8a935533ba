"""Composes configurations as the commands do."""

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

import deblurlab.app.command  # noqa: F401  # it registers what the configurations need
from deblurlab.run.names import CONF


def configuration(command: str, *overrides: str) -> DictConfig:
    """Return what ``command`` gets when these overrides follow it."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(command, overrides=list(overrides))
