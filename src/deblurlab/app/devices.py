"""The keys of the ``trainer`` group for the backend: which hardware, how many devices, which precision."""

from dataclasses import fields
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from deblurlab import backends
from deblurlab.app.arguments import check_arguments
from deblurlab.app.invocation import sets_below
from deblurlab.backends import DeviceSettings

# The keys of the ``trainer`` group for the backend. Some of them are arguments of Lightning's Trainer, too.
KEYS = tuple(field.name for field in fields(DeviceSettings))


def divided(trainer: DictConfig) -> tuple[DeviceSettings, dict[str, Any]]:
    """Divide the ``trainer`` group into the settings of the backend and the arguments of Lightning's Trainer.

    Raises:
        ValueError: If a setting of the backend is missing or invalid.
    """
    keys: Any = OmegaConf.to_container(trainer, resolve=True)
    if missing := [name for name in KEYS if name not in keys]:
        raise ValueError(
            f"the trainer group lacks {', '.join(missing)}: a trainer's file begins with `defaults: [auto]`, which "
            "has every key."
        )
    return DeviceSettings(**{name: keys.pop(name) for name in KEYS}), keys


def device(cfg: DictConfig) -> torch.device:
    """The device of ``cfg.trainer.accelerator`` for a network without a trainer. On a TPU it is a single core."""
    if sets_below("trainer"):  # the values of our own files need no check, whose import of Lightning takes seconds
        check_arguments(cfg.trainer, "trainer", also=DeviceSettings)
    return backends.choose(cfg.trainer.accelerator).device(cfg.trainer.accelerator)


def prepare(cfg: DictConfig, network: nn.Module) -> None:
    """Convert a network to the form that is fastest on the device of ``cfg.trainer.accelerator``."""
    backends.choose(cfg.trainer.accelerator).prepare(network)
