"""Hydra's ``instantiate`` for a part of the configuration that this command composed."""

import inspect
from collections.abc import Mapping
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from deblurlab.run.trusted import PACKAGES, targets

_ALLOWED = "_execution_whitelist_"  # from Hydra 1.4 on, which asks its caller what it may call


def instantiated(config: DictConfig | Mapping[str, Any], **more: Any) -> Any:
    """What a configuration describes. All within it, too, but for OmegaConf's containers, which become Python's.

    It may call deblurlab and the packages that it is built on, and by its name what the configuration names of others:
    that is the user's own, from the command line or the user's files. A configuration from the folder of a run has
    passed :func:`deblurlab.run.trusted.check`, which is stricter.

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
