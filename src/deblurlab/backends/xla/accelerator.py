"""Chooses the XLA devices of a process."""

import os
from typing import Any

import torch
from lightning.pytorch.accelerators import XLAAccelerator
from torch_xla import runtime
from typing_extensions import override

from deblurlab.backends.backend import Devices
from deblurlab.backends.xla.installation import Client, tpu_found


def choose_client(client: Client, devices: Devices) -> None:
    """Make torch_xla use a TPU or virtual devices of the CPU, all in this process.

    Args:
        client: ``tpu`` or ``xla_cpu``.
        devices: The number of virtual devices; ``auto`` for a TPU.

    Raises:
        ValueError: If there is no TPU, or ``devices`` is invalid for the client.
    """
    if client == "tpu":
        if not tpu_found():
            raise ValueError(
                "trainer=tpu: this machine has no TPU. Start the command on a TPU VM, or try the same code on virtual "
                "devices with trainer=xla_cpu."
            )
        if devices != "auto":
            raise ValueError(f"trainer.devices={devices}: a TPU trains on all its cores, leave trainer.devices=auto.")
        runtime.set_device_type("TPU")
        return
    if not isinstance(devices, int) or devices < 1:
        raise ValueError(f"trainer.devices={devices}: trainer=xla_cpu needs the number of virtual devices, say 8.")
    runtime.set_device_type("CPU")
    os.environ["CPU_NUM_DEVICES"] = str(devices)


class SPMDAccelerator(XLAAccelerator):
    """All devices of the XLA runtime. For Lightning they are one device, the virtual device of SPMD.

    Lightning's own accelerator counts the cores of a TPU, and does not find the virtual devices of the CPU.
    """

    @staticmethod
    @override
    def parse_devices(devices: Any) -> int:
        return 1

    @staticmethod
    @override
    def get_parallel_devices(devices: Any) -> list[torch.device]:
        return [torch.device("xla", 0)]

    @staticmethod
    @override
    def auto_device_count() -> int:  # type: ignore[override]
        return 1

    @staticmethod
    @override
    def is_available() -> bool:  # type: ignore[override]
        return True

    @staticmethod
    @override
    def name() -> str:
        return "xla"
