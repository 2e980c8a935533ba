"""Whether torch_xla and a TPU are here. Starts no XLA runtime."""

import importlib.util
import os
from pathlib import Path
from typing import Literal

# What an XLA runtime computes on: a TPU, or virtual devices of the CPU.
Client = Literal["tpu", "xla_cpu"]

_PCI_DEVICES = Path("/sys/bus/pci/devices")
_GOOGLE = "0x1ae0"  # its number as a vendor of PCI devices


def quiet() -> None:
    """Keep torch_xla from choosing a device and announcing it when it is imported.

    It also keeps XLA's own warnings away, of which each partitioned graph would bring one. Variables of the
    environment that the user has set stay as they are.
    """
    os.environ.setdefault("PJRT_SELECT_DEFAULT_DEVICE", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def require_torch_xla(wanted_by: str) -> None:
    """Check that torch_xla is installed.

    Args:
        wanted_by: What needs it, for the message: ``trainer=tpu``.

    Raises:
        ValueError: If it is not; the message says what to install.
    """
    if importlib.util.find_spec("torch_xla") is None:
        other = " torch-tpu, which is installed, is another library that deblurlab does not use."
        raise ValueError(
            f"{wanted_by} needs torch_xla, which is available for Linux on x86-64 with torch 2.9: pip install "
            "'deblurlab[tpu]', on a TPU VM 'torch-xla[tpu]==2.9.*' as well."
            + (other if importlib.util.find_spec("torch_tpu") else "")
        )


def tpu_found() -> bool:
    """Whether this machine has a TPU and torch_xla to use it.

    It looks at the PCI devices, and imports torch_xla, which takes seconds, only if one of them is Google's. torch_xla
    has no public function that looks: its public ones start the runtime, and Lightning's asks Google's metadata server,
    which is not everywhere. ``tests/backends/xla/test_parts.py`` fails if this private one goes.
    """
    if importlib.util.find_spec("torch_xla") is None:
        return False
    if not any(vendor.read_text().strip() == _GOOGLE for vendor in _PCI_DEVICES.glob("*/vendor")):
        return False
    from torch_xla._internal import tpu

    return bool(tpu.num_available_chips())


def answer_lightning() -> None:
    """Let Lightning know that there is no TPU, if so, before it looks for one.

    Lightning's Trainer looks for a TPU whatever it is to train on, if only for its log. Where torch_xla is installed it
    imports it for that, which takes a third of the time that a training on the CPU takes to start.
    """
    from lightning.pytorch.accelerators import XLAAccelerator

    if not tpu_found():
        XLAAccelerator.is_available = staticmethod(lambda: False)  # type: ignore[assignment]
