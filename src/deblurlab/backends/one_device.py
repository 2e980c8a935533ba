"""The CPU, or one GPU of NVIDIA, AMD or Apple: everything that PyTorch drives by itself."""

from typing import ClassVar

import torch
from typing_extensions import override

from deblurlab.backends.backend import Backend, DeviceSettings, Training
from deblurlab.backends.fast_precision import fast_precision
from deblurlab.backends.host_memory import keep_freed_memory
from deblurlab.callbacks.seed_batches import SeedBatches
from deblurlab.run.checkpoint import AtomicCheckpointIO

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
            },
            watchers=[SeedBatches()],
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
