"""Whether torch_xla and a TPU are here. Starts no XLA runtime."""

import importlib.util
import os


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
            f"{wanted_by} needs torch_xla, which there is for Linux on x86-64 and torch 2.9: pip install "
            "'deblurlab[tpu]', on a TPU VM 'torch-xla[tpu]==2.9.*' as well."
            + (other if importlib.util.find_spec("torch_tpu") else "")
        )


def tpu_found() -> bool:
    """Whether this machine has a TPU and torch_xla to use it.

    It looks at the PCI devices. torch_xla has no public function that does: its public ones start the runtime, and
    Lightning's asks Google's metadata server, which is not everywhere. ``tests/backends/xla/test_parts.py`` fails if
    this private one goes.
    """
    if importlib.util.find_spec("torch_xla") is None:
        return False
    from torch_xla._internal import tpu

    return bool(tpu.num_available_chips())
