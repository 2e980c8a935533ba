"""The CPU, and GPUs of NVIDIA, AMD or Apple: the devices that PyTorch supports without another library."""

import os
from typing import ClassVar

import torch
from typing_extensions import override

from deblurlab.backends.backend import Backend, Devices, DeviceSettings, Training
from deblurlab.backends.fast_precision import fast_precision
from deblurlab.backends.host_memory import keep_freed_memory
from deblurlab.checks.words import counted
from deblurlab.processes.rank import Rank, this_rank

# The types of device for each name of an accelerator, the fastest first.
_DEVICE_TYPES = {
    "auto": ("cuda", "mps", "cpu"),
    "gpu": ("cuda", "mps"),
    "cuda": ("cuda",),
    "mps": ("mps",),
    "cpu": ("cpu",),
}
_AS_MANY = "as many as trainer.devices says (torchrun --nproc-per-node, srun --ntasks-per-node)"


class TorchDevices(Backend):
    """A run on one device, by Lightning's own strategy, or on several, with one process per device."""

    accelerators: ClassVar[frozenset[str]] = frozenset(_DEVICE_TYPES)
    folds: ClassVar[bool] = False

    @override
    def finds(self, accelerator: str) -> bool:
        return bool(_found(accelerator))

    @override
    def processes(self, settings: DeviceSettings) -> int:
        device_type = self.device(settings.accelerator).type
        return _count(settings.devices, device_type) if this_rank() is None else 1

    @override
    def training(self, settings: DeviceSettings) -> Training:
        """Use the best device, or devices, of the accelerator. On the CPU, ``keep_memory`` changes this process."""
        from deblurlab.backends import distributed  # this and the next four import Lightning
        from deblurlab.backends.parts_of_batch import PartsOfBatch
        from deblurlab.backends.xla.installation import answer_lightning
        from deblurlab.callbacks.seed_batches import SeedBatches
        from deblurlab.run.checkpoint import AtomicCheckpointIO

        answer_lightning()
        device_type, rank = self.device(settings.accelerator).type, this_rank()
        if rank is None:
            count = _count(settings.devices, device_type)
            if count > 1:
                raise ValueError(
                    f"trainer.devices={settings.devices}: several devices train a network, this command takes one."
                )
        else:
            count = _count_of_rank(settings.devices, device_type, rank)
        if device_type == "cpu" and settings.keep_memory:
            keep_freed_memory()
        chosen = settings.devices if isinstance(settings.devices, list) else count
        precision = settings.precision
        if precision == "auto":  # several processes that measured at the same time could get different results
            precision = fast_precision(device_type) if rank is None or device_type != "cpu" else "32-true"
        arguments = {
            "accelerator": device_type,
            "devices": chosen,
            "precision": precision,
            "plugins": [AtomicCheckpointIO()],
        }
        per_core = settings.batch_norm == "per_core"
        always = [SeedBatches(), *([PartsOfBatch(rank.world if rank else 1)] if per_core else [])]
        if rank is None:
            return Training(arguments=arguments, callbacks=always)
        return Training(
            arguments=arguments | {"strategy": distributed.strategy(rank, per_core=per_core), "num_nodes": rank.hosts},
            callbacks=[*always, *distributed.callbacks(rank, per_core=per_core)],
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
    """The types of device for ``accelerator`` that this machine has, the fastest first."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [device_type for device_type in _DEVICE_TYPES[accelerator] if there[device_type]]


def _count(devices: Devices, device_type: str) -> int:
    """The number of devices that ``trainer.devices`` requests on this host. On the CPU these are processes.

    Raises:
        ValueError: If the machine has fewer, or the value is not a number of devices.
    """
    gpus = torch.cuda.device_count() if device_type == "cuda" else 1
    there, name = (os.cpu_count() or 1, "CPU core") if device_type == "cpu" else (gpus, "GPU")
    if devices == "auto":
        return gpus
    if isinstance(devices, list) and device_type == "cuda" and devices and set(devices) <= set(range(there)):
        return len(set(devices))
    count = int(devices) if isinstance(devices, int | str) and str(devices).isdecimal() else 0
    if not 1 <= count <= there:
        indices = f", a list of their indices from 0 to {there - 1}" if device_type == "cuda" else ""
        raise ValueError(
            f"trainer.devices={devices}: this machine has {there} {name}{'s' * (there > 1)}. Choose a number from 1 to "
            f"{there}{indices}, or auto."
        )
    return count


def _count_of_rank(devices: Devices, device_type: str, rank: Rank) -> int:
    """The number of devices that ``trainer.devices`` requests if each process of this host uses one.

    ``auto`` requests as many as there are processes.

    Raises:
        ValueError: If the number of devices differs from the number of processes on each host.
    """
    if rank.local * rank.hosts != rank.world:
        raise ValueError(
            f"{rank.by} has started {rank.world} processes on {rank.hosts} hosts: start {_AS_MANY} on each host."
        )
    asked = rank.local if devices == "auto" else len(set(devices)) if isinstance(devices, list) else devices
    if str(asked) != str(rank.local):
        raise ValueError(
            f"{rank.by} has started {rank.local} processes on this host, and trainer.devices={devices} asks for "
            f"{asked}: set trainer.devices={rank.local} or auto, or start {_AS_MANY}."
        )
    if device_type == "cuda" and (there := torch.cuda.device_count()) < rank.local:
        raise ValueError(
            f"{rank.by} has started {rank.local} processes on this host, and this one sees {counted(there, 'GPU')}: "
            "let each of them see all GPUs (--gpus-per-node in place of Slurm's --gpus-per-task), or start fewer."
        )
    return _count(rank.local if devices == "auto" else devices, device_type)
