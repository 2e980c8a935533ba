"""Checks which classes the settings in the folder of a resumed run name."""

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from deblurlab.run import trusted

log = logging.getLogger(__name__)


def require_trusted(now: DictConfig, cfg: DictConfig, *, source: Path) -> DictConfig:
    """Check the classes that the settings of a run name, except those that the command line itself names.

    Loggers that are not trusted are left out with a warning, because the training does not depend on them. A callback
    may influence the training, and its state would be lost: without it the resumed run would not be the same.

    Args:
        now: The settings that a run is to continue with, most of which come from its folder.
        cfg: The configuration that Hydra composed for this command.
        source: The configuration file in the folder, for messages.

    Returns:
        The settings without the loggers that were left out.

    Raises:
        UntrustedError: If the model, the data, a callback or a metric is of a package that is not trusted.
    """
    trust, own = trusted.packages(cfg.trust), OmegaConf.to_container(cfg, resolve=True)
    named = {name for _, name in trusted.targets(own) if isinstance(name, str)}
    settings: Any = OmegaConf.to_container(now)
    for group in ("callbacks", "logger"):
        for name, entry in (settings.get(group) or {}).items():
            try:
                trusted.check({group: {name: _unnamed(entry, named)}}, trust=trust, source=str(source))
            except trusted.UntrustedError as error:
                if group == "callbacks":
                    raise trusted.UntrustedError(f"{error} +callbacks.{name}=null continues without it.") from error
                log.warning(f"{error} It is left out of the resumed run.")
                del now[group][name]
    trusted.check(_unnamed(OmegaConf.to_container(now), named), trust=trust, source=str(source))
    trusted.check_metrics(
        [name for name in settings.get("metrics") or [] if name not in cfg.metrics], trust=trust, source=str(source)
    )
    return now


def _unnamed(value: Any, named: set[str]) -> Any:
    """Remove the ``_target_`` keys whose classes are in ``named``."""
    if isinstance(value, dict):
        return {
            key: _unnamed(inner, named)
            for key, inner in value.items()
            if not (key == "_target_" and isinstance(inner, str) and inner in named)
        }
    return [_unnamed(inner, named) for inner in value] if isinstance(value, list) else value
