"""Training on XLA devices: TPU cores, or virtual devices of the CPU that run the same code.

The only package that imports torch_xla. Importing this module alone does not.
"""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from lightning.pytorch import Callback
    from torch import Tensor, nn

    from deblurlab.backends.xla.strategy import SPMDStrategy

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


def data_parallel(
    client: Client, *, devices: int | Literal["auto"], bfloat16: bool, run_each_step: bool = False
) -> "SPMDStrategy":
    """The strategy that trains on every core, with its accelerator, precision and checkpoint IO.

    Call it before anything touches an XLA device: a process has one runtime, and this chooses it.

    Args:
        client: ``tpu``, all cores of this host (and of the other hosts of a pod slice); or ``xla_cpu``.
        devices: how many virtual devices ``xla_cpu`` has; a TPU always uses all its cores.
        bfloat16: run the network in bfloat16; weights, optimizer, losses and metrics stay float32.
        run_each_step: where a batch has several optimizer steps, run each as a graph of its own.

    Raises:
        ValueError: if torch_xla or the TPU is missing, or a TPU's cores are to be counted.
    """
    require_torch_xla(f"trainer={client}")
    from deblurlab.backends.xla import accelerator, checkpoint_io, precision, strategy

    accelerator.choose_client(client, devices)
    return strategy.SPMDStrategy(
        accelerator=accelerator.SPMDAccelerator(),
        checkpoint_io=checkpoint_io.AtomicXLACheckpointIO(),
        precision_plugin=precision.SPMDPrecision(bfloat16=bfloat16, run_each_step=run_each_step),
    )


def one_device(client: Client) -> "torch.device":
    """A single XLA device, for a network without a trainer: a TPU's first core, or the CPU as an XLA device.

    Raises:
        ValueError: if torch_xla or the TPU is missing.
    """
    require_torch_xla(f"trainer={client}")
    quiet()
    import torch_xla

    from deblurlab.backends.xla import accelerator

    accelerator.choose_client(client, "auto" if client == "tpu" else 1)
    return torch_xla.device()


def write_stablehlo(network: "nn.Module", inputs: "tuple[Tensor, ...]", folder: Path) -> "Callable[[Tensor], Tensor]":
    """Write a network as StableHLO for inputs of one shape; returns what runs the written program on this machine.

    Raises:
        ValueError: if torch_xla is missing.
    """
    require_torch_xla("format=stablehlo")
    quiet()
    import torch
    import torch_xla.stablehlo

    from deblurlab.backends.xla import accelerator

    accelerator.choose_client("xla_cpu", 1)

    exported = torch.export.export(network, inputs)
    torch_xla.stablehlo.exported_program_to_stablehlo(exported).save(str(folder))
    written = torch_xla.stablehlo.StableHLOGraphModule.load(str(folder))
    return lambda images: written(images).cpu()


def watchers() -> "list[Callback]":
    """The callbacks that belong to every run on XLA."""
    from deblurlab.backends.xla.compiles import Compiles

    return [Compiles()]
