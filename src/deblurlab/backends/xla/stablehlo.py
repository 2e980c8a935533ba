"""Exports networks as StableHLO, for runtimes that run XLA's programs."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from deblurlab.backends.xla.installation import require_torch_xla
from deblurlab.files.whole_folder import whole_folder


def write_stablehlo(network: nn.Module, inputs: tuple[Tensor, ...], folder: Path) -> Callable[[Tensor], Tensor]:
    """Write a network as StableHLO with its weights beside it.

    Args:
        network: The network.
        inputs: Example inputs. The written program takes inputs of their shapes only.
        folder: The folder to write, completely or not at all.

    Returns:
        A function that runs the written program on this machine.

    Raises:
        ValueError: If torch_xla is missing.
    """
    require_torch_xla("format=stablehlo")
    import torch_xla.stablehlo

    from deblurlab.backends.xla.accelerator import choose_client

    choose_client("xla_cpu", 1)
    exported = torch.export.export(network, inputs)
    program = torch_xla.stablehlo.exported_program_to_stablehlo(exported)
    with whole_folder(folder) as partial:
        program.save(str(partial))
    written = torch_xla.stablehlo.StableHLOGraphModule.load(str(folder))
    return lambda images: written(images).cpu()
