"""The keys of the ``trainer`` group that a backend answers for: which hardware, how many devices, which precision."""

from dataclasses import fields
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from deblurlab import backends
from deblurlab.app.arguments import check_arguments
from deblurlab.app.invocation import sets_below
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


def device(cfg: DictConfig) -> torch.device:
    """The device of ``cfg.trainer.accelerator`` for one network without a trainer; of a TPU it is a single core."""
    if sets_below("trainer"):  # else they are those of a group's file, and Lightning takes seconds to import
        check_arguments(cfg.trainer, "trainer", also=DeviceSettings)
    return backends.choose(cfg.trainer.accelerator).device(cfg.trainer.accelerator)


def prepare(cfg: DictConfig, network: nn.Module) -> None:
    """Give a network on the device of ``cfg.trainer.accelerator`` the form that is fastest there."""
    backends.choose(cfg.trainer.accelerator).prepare(network)
