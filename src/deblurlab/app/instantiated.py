"""Calls Hydra's ``instantiate`` for a part of the configuration that this command composed."""

import inspect
from collections.abc import Mapping
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from deblurlab.run.trusted import PACKAGES, targets

_ALLOWED = "_execution_whitelist_"  # an argument since Hydra 1.4: the names that ``instantiate`` may call


def instantiated(config: DictConfig | Mapping[str, Any], **more: Any) -> Any:
    """Build the object that a configuration describes, with all objects within it.

    OmegaConf's containers become Python's. Hydra may call deblurlab, the packages that deblurlab is built on, and
    anything that the configuration names: its names come from the command line or the user's files. A configuration
    from the folder of a run has already passed :func:`deblurlab.run.trusted.check`, which is stricter.

    Args:
        config: A part of the configuration.
        more: Further arguments of its ``_target_``.
    """
    if _ALLOWED not in inspect.signature(instantiate).parameters:
        return instantiate(config, _convert_="all", **more)
    plain = OmegaConf.to_container(config, resolve=True) if isinstance(config, DictConfig) else config
    named = [name for _, name in targets(plain) if isinstance(name, str)]
    allowed = [*(f"{package}.*" for package in PACKAGES), *named]
    return instantiate(config, _convert_="all", **{_ALLOWED: allowed}, **more)
