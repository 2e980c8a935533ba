"""Training on XLA devices: TPU cores, or virtual devices of the CPU that run the same code.

The only package that imports torch_xla. Importing this module alone does not.
"""

import importlib.util
import os
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lightning.pytorch import Callback

    from deblurlab.xla.strategy import SPMDStrategy

Client = Literal["tpu", "xla_cpu"]


def quiet() -> None:
    """Keep torch_xla, which Lightning imports wherever it is installed, from choosing a device and announcing it.

    XLA's own warnings, one for each compiled graph that it partitions, stay away, too.
    """
    os.environ.setdefault("PJRT_SELECT_DEFAULT_DEVICE", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def require_torch_xla(wanted_by: str) -> None:
    """Raise ValueError, saying what to install, unless torch_xla is there."""
    if importlib.util.find_spec("torch_xla") is None:
        raise ValueError(
            f"{wanted_by} needs torch_xla, which has wheels for Linux on x86-64 only: pip install torch-xla "
            "of torch's own version (2.9 beside torch 2.9), on a TPU VM 'torch-xla[tpu]'."
        )


def tpu_found() -> bool:
    """Whether this machine has a TPU and torch_xla to use it. Starts no runtime."""
    if importlib.util.find_spec("torch_xla") is None:
        return False
    from torch_xla._internal import tpu

    return bool(tpu.num_available_chips())


def data_parallel(client: Client, *, devices: int | Literal["auto"], bfloat16: bool) -> "SPMDStrategy":
    """The strategy that trains on every core, with its accelerator, precision and checkpoint IO.

    Call it before anything touches an XLA device: a process has one runtime, and this chooses it.

    Args:
        client: ``tpu``, all cores of this host (and of the other hosts of a pod slice); or ``xla_cpu``.
        devices: how many virtual devices ``xla_cpu`` has; a TPU always uses all its cores.
        bfloat16: run the network in bfloat16; weights, optimizer, losses and metrics stay float32.

    Raises:
        ValueError: if torch_xla or the TPU is missing, or a TPU's cores are to be counted.
    """
    require_torch_xla(f"trainer={client}")
    from deblurlab.xla import accelerator, checkpoint, precision, strategy

    accelerator.choose_client(client, devices)
    return strategy.SPMDStrategy(
        accelerator=accelerator.SPMDAccelerator(),
        checkpoint_io=checkpoint.AtomicXLACheckpointIO(),
        precision_plugin=precision.SPMDPrecision(bfloat16=bfloat16),
    )


def watchers() -> "list[Callback]":
    """The callbacks that belong to every run on XLA."""
    from deblurlab.xla.compiles import Compiles

    return [Compiles()]
