"""The keys of the ``trainer`` group that a backend answers for: which hardware, how many devices, which precision."""

from dataclasses import fields
from typing import Any

from omegaconf import DictConfig, OmegaConf

from deblurlab.backends import DeviceSettings

# The keys of the ``trainer`` group that are the backend's. Some of them are arguments of Lightning's Trainer, too.
KEYS = tuple(field.name for field in fields(DeviceSettings))


def divided(trainer: DictConfig) -> tuple[DeviceSettings, dict[str, Any]]:
    """The ``trainer`` group in two parts: the keys for the backend, and those that Lightning's Trainer takes.

    Raises:
        ValueError: If one of them is missing or makes no sense.
    """
    keys: Any = OmegaConf.to_container(trainer, resolve=True)
    if missing := [name for name in KEYS if name not in keys]:
        raise ValueError(
            f"the trainer group lacks {', '.join(missing)}: a trainer's file begins with `defaults: [auto]`, which "
            "has every key."
        )
    return DeviceSettings(**{name: keys.pop(name) for name in KEYS}), keys
