"""Finds out whether torch_xla and a TPU are available, without starting XLA's runtime."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Literal

# What an XLA runtime computes on: a TPU, or virtual devices of the CPU.
Client = Literal["tpu", "xla_cpu"]

_PCI_DEVICES = Path("/sys/bus/pci/devices")
_GOOGLE = "0x1ae0"  # its number as a vendor of PCI devices


def quiet() -> None:
    """Keep torch_xla from choosing and announcing a device when it is imported.

    This also silences XLA's own warnings, one for each partitioned graph. Environment variables that the user has set
    are kept.
    """
    os.environ.setdefault("PJRT_SELECT_DEFAULT_DEVICE", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def require_torch_xla(wanted_by: str) -> None:
    """Check that torch_xla is installed and can be imported. See :func:`quiet`, which is in force afterwards.

    Args:
        wanted_by: The setting that needs it, for the message, such as ``trainer=tpu``.

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
    quiet()
    try:
        importlib.import_module("torch_xla")
    except ImportError as error:
        fix = "It needs torch 2.9: pip install 'deblurlab[tpu]' installs both."
        if "libpython" in str(error):
            package = f"libpython{sys.version_info.major}.{sys.version_info.minor}"
            fix = f"It needs Python's shared library, which Debian and Ubuntu have in the package {package}."
        raise ValueError(
            f"{wanted_by} needs torch_xla, which is installed but cannot be imported: {error}. {fix}"
        ) from error


def tpu_found() -> bool:
    """Whether this machine has a TPU and torch_xla to use it.

    It looks at the PCI devices, and imports torch_xla, which takes seconds, only if one of them is Google's. torch_xla
    has no suitable public function: those start the runtime, and Lightning's queries Google's metadata server, which
    does not exist everywhere. ``tests/backends/xla/test_parts.py`` fails if the private one is removed.

    Raises:
        ValueError: If there is a TPU, and torch_xla cannot be imported.
    """
    if importlib.util.find_spec("torch_xla") is None:
        return False
    if not any(vendor.read_text(encoding="utf-8").strip() == _GOOGLE for vendor in _PCI_DEVICES.glob("*/vendor")):
        return False
    require_torch_xla("the TPU of this machine")
    from torch_xla._internal import tpu

    return bool(tpu.num_available_chips())


def answer_lightning() -> None:
    """If there is no TPU, tell Lightning so before it looks for one.

    Lightning's Trainer always looks for a TPU, if only for its log. If torch_xla is installed, it imports it for that,
    which takes a third of the start-up time of a training on the CPU.
    """
    from lightning.pytorch.accelerators import XLAAccelerator

    if not tpu_found():
        XLAAccelerator.is_available = staticmethod(lambda: False)  # type: ignore[assignment]
