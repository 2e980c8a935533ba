"""The CPU, and GPUs of NVIDIA, AMD or Apple: everything that PyTorch drives by itself."""

import os
from typing import ClassVar

import torch
from typing_extensions import override

from deblurlab.backends.backend import Backend, Devices, DeviceSettings, Training
from deblurlab.backends.fast_precision import fast_precision
from deblurlab.backends.host_memory import keep_freed_memory
from deblurlab.checks.words import counted
from deblurlab.processes.rank import Rank, this_rank

# The kinds of device that each name of an accelerator stands for, the fastest first.
_KINDS = {
    "auto": ("cuda", "mps", "cpu"),
    "gpu": ("cuda", "mps"),
    "cuda": ("cuda",),
    "mps": ("mps",),
    "cpu": ("cpu",),
}
_AS_MANY = "as many as trainer.devices says (torchrun --nproc-per-node, srun --ntasks-per-node)"


class TorchDevices(Backend):
    """A run on one device, by Lightning's own strategy, or on several, each with a process of its own."""

    accelerators: ClassVar[frozenset[str]] = frozenset(_KINDS)
    folds: ClassVar[bool] = False

    @override
    def finds(self, accelerator: str) -> bool:
        return bool(_found(accelerator))

    @override
    def processes(self, settings: DeviceSettings) -> int:
        kind = self.device(settings.accelerator).type
        return _count(settings.devices, kind) if this_rank() is None else 1

    @override
    def training(self, settings: DeviceSettings) -> Training:
        """The best device, or devices, that the accelerator names.

        ``keep_memory`` changes the process if it trains on the CPU.
        """
        from deblurlab.backends import distributed  # it and the next four import Lightning
        from deblurlab.backends.parts_of_batch import PartsOfBatch
        from deblurlab.backends.xla.installation import answer_lightning
        from deblurlab.callbacks.seed_batches import SeedBatches
        from deblurlab.run.checkpoint import AtomicCheckpointIO

        answer_lightning()
        kind, rank = self.device(settings.accelerator).type, this_rank()
        if rank is None:
            count = _count(settings.devices, kind)
            if count > 1:
                raise ValueError(
                    f"trainer.devices={settings.devices}: several devices train a network, this command takes one."
                )
        else:
            count = _count_of_rank(settings.devices, kind, rank)
        if kind == "cpu" and settings.keep_memory:
            keep_freed_memory()
        chosen = settings.devices if isinstance(settings.devices, list) else count
        precision = settings.precision
        if precision == "auto":  # processes that measured at the same time could contradict each other
            precision = fast_precision(kind) if rank is None or kind != "cpu" else "32-true"
        arguments = {"accelerator": kind, "devices": chosen, "precision": precision, "plugins": [AtomicCheckpointIO()]}
        per_core = settings.batch_norm == "per_core"
        always = [SeedBatches(), *([PartsOfBatch(rank.world if rank else 1)] if per_core else [])]
        if rank is None:
            return Training(arguments=arguments, watchers=always)
        return Training(
            arguments=arguments | {"strategy": distributed.strategy(rank, per_core=per_core), "num_nodes": rank.hosts},
            watchers=[*always, *distributed.watchers(rank, per_core=per_core)],
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


def _count(devices: Devices, kind: str) -> int:
    """How many devices ``trainer.devices`` asks for on this host. On the CPU these are processes.

    Raises:
        ValueError: If the machine has less of them, or the value is not a number of devices.
    """
    gpus = torch.cuda.device_count() if kind == "cuda" else 1
    there, name = (os.cpu_count() or 1, "CPU core") if kind == "cpu" else (gpus, "GPU")
    if devices == "auto":
        return gpus
    if isinstance(devices, list) and kind == "cuda" and devices and set(devices) <= set(range(there)):
        return len(set(devices))
    count = int(devices) if isinstance(devices, int | str) and str(devices).isdecimal() else 0
    if not 1 <= count <= there:
        indices = f", a list of their indices from 0 to {there - 1}" if kind == "cuda" else ""
        raise ValueError(
            f"trainer.devices={devices}: this machine has {there} {name}{'s' * (there > 1)}. Choose a number from 1 to "
            f"{there}{indices}, or auto."
        )
    return count


def _count_of_rank(devices: Devices, kind: str, rank: Rank) -> int:
    """How many devices ``trainer.devices`` asks for where each process of this host takes one; ``auto`` is as many.

    Raises:
        ValueError: If there are not as many devices as processes on each host.
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
    if kind == "cuda" and (there := torch.cuda.device_count()) < rank.local:
        raise ValueError(
            f"{rank.by} has started {rank.local} processes on this host, and this one sees {counted(there, 'GPU')}: "
            "let each of them see all GPUs (--gpus-per-node in place of Slurm's --gpus-per-task), or start fewer."
        )
    return _count(rank.local if devices == "auto" else devices, kind)
