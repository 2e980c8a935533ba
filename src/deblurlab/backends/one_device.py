"""The CPU, or one GPU of NVIDIA, AMD or Apple: everything that PyTorch drives by itself."""

import logging
from typing import ClassVar

import torch
from typing_extensions import override

from deblurlab.backends.backend import Backend, DeviceSettings, Training
from deblurlab.backends.host_memory import keep_freed_memory
from deblurlab.run.checkpoint import AtomicCheckpointIO

log = logging.getLogger(__name__)

# The kinds of device that each name of an accelerator stands for, the fastest first.
_KINDS = {
    "auto": ("cuda", "mps", "cpu"),
    "gpu": ("cuda", "mps"),
    "cuda": ("cuda",),
    "mps": ("mps",),
    "cpu": ("cpu",),
}


class OneDevice(Backend):
    """A run on a single device, by Lightning's own strategy."""

    accelerators: ClassVar[frozenset[str]] = frozenset(_KINDS)
    folds: ClassVar[bool] = False

    @override
    def finds(self, accelerator: str) -> bool:
        return bool(_found(accelerator))

    @override
    def training(self, settings: DeviceSettings) -> Training:
        """The best device that the accelerator names.

        ``keep_memory`` changes the process if that device is the CPU.
        """
        devices = settings.devices
        if devices not in (1, "1", "auto") and not (isinstance(devices, list) and len(devices) == 1):
            raise ValueError(f"trainer.devices={devices}: a run takes one CPU or GPU; trainer=tpu takes all cores.")
        kind = self.device(settings.accelerator).type
        if kind == "cpu" and settings.keep_memory:
            keep_freed_memory()
        return Training(
            arguments={
                "accelerator": kind,
                "devices": 1 if devices == "auto" else devices,
                "precision": fast_precision(kind) if settings.precision == "auto" else settings.precision,
                "plugins": [AtomicCheckpointIO()],
            }
        )

    @override
    def device(self, accelerator: str) -> torch.device:
        if not (found := _found(accelerator)):
            raise ValueError(
                f"trainer.accelerator={accelerator}: PyTorch finds no {accelerator.upper()} here. trainer=auto takes "
                "the best device there is."
            )
        return torch.device(found[0])


def _found(accelerator: str) -> list[str]:
    """The kinds of device that this machine has of those that ``accelerator`` names, the fastest first."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [kind for kind in _KINDS[accelerator] if there[kind]]


def fast_precision(kind: str) -> str:
    """``bf16-mixed`` where a kind of device multiplies bfloat16 faster than float32, else ``32-true``.

    Args:
        kind: ``cpu``, ``cuda`` or ``mps``, one that this machine has.
    """
    fast = {
        "cuda": lambda: torch.cuda.get_device_capability() >= (8, 0),  # Ampere and later
        "mps": lambda: False,
        "cpu": cpu_multiplies_bfloat16,
    }
    return "bf16-mixed" if fast[kind]() else "32-true"


def cpu_multiplies_bfloat16() -> bool:
    """Whether this CPU has instructions for bfloat16 (AVX512-BF16 or AMX). Elsewhere oneDNN emulates them, slowly.

    Only private functions of torch tell. Where they are gone, training goes on in float32;
    ``tests/backends/test_one_device.py`` fails then.
    """
    if "AVX512" not in torch.backends.cpu.get_cpu_capability():
        return False
    try:
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    except AttributeError:
        log.warning("This version of PyTorch does not say whether the CPU multiplies bfloat16: using float32.")
        return False
