"""The TPU compiler without a TPU: an HLO module in, what it costs on a core out."""

import importlib.util
import math
import os
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from deblurlab.planning.chips import Topology

_BYTES = {"pred": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "bf16": 2, "f16": 2, "s32": 4, "u32": 4, "f32": 4, "s64": 8}


@dataclass(frozen=True)
class Cost:
    """One run of a compiled program on one core.

    Attributes:
        flops: operations, multiplications and additions counted separately.
        hbm_bytes: read and written by all operations.
        memory_bytes: arguments, temporaries and code; results take their arguments' place.
        cycles: the scheduler's estimate, summed over operations; the wire's share of collectives is not in it.
        all_reduces: how many.
        all_reduce_bytes: of all of them.
    """

    flops: float
    hbm_bytes: float
    memory_bytes: float
    cycles: int
    all_reduces: int
    all_reduce_bytes: float


class DoesNotFitError(ValueError):
    """The program needs more memory than the chip has."""


def require_compiler() -> None:
    """Raise ValueError, saying what to install, unless jax and libtpu are there."""
    if importlib.util.find_spec("jax") is None or importlib.util.find_spec("libtpu") is None:
        raise ValueError("plan needs the TPU compiler: pip install 'deblurlab[plan]' (jax and libtpu; no TPU needed).")


def _spread(stablehlo: str, cores: int) -> str:
    """The program with every batch split over ``cores`` devices instead of those it was traced with."""

    def tiled(match: re.Match[str]) -> str:
        sides = [side if side == "1" else str(cores) for side in match[1].split(",")]
        return f"devices=[{','.join(sides)}]<=[{cores}]"

    spread, replaced = re.subn(r"devices=\[([\d,]+)\](?:<=\[\d+\]|[\d,]+)(?=[}\s])", tiled, stablehlo)
    assert replaced, "the traced step is not split over devices"
    return re.sub(r"mhlo\.num_partitions = \d+", f"mhlo.num_partitions = {cores}", spread)


def _all_reduce_bytes(hlo: str) -> list[float]:
    sizes = []
    for result in re.findall(r" = (\(.*?\)|\S+) all-reduce(?:-start)?\(", hlo):
        tensors = re.findall(r"(\w+)\[([\d,]*)\]", result)
        sizes.append(
            float(
                sum(_BYTES[kind] * math.prod(int(side) for side in sides.split(",") if side) for kind, sides in tensors)
            )
        )
    return sizes


def compile_for(topology: Topology, hlo: bytes) -> Cost:
    """Compile a serialised HloModuleProto, traced over several devices, for all cores of ``topology``.

    Raises:
        DoesNotFitError: if the compiler runs out of memory on the chip.
    """
    # No machine to ask about, and no log of that on the terminal.
    os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")
    os.environ.setdefault("TPU_WORKER_HOSTNAMES", "localhost")
    os.environ.setdefault("TPU_ACCELERATOR_TYPE", "v2-8")
    os.environ.setdefault("TPU_STDERR_LOG_LEVEL", "3")
    os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")  # no chip is opened: several plans may run at once
    from jax._src.interpreters import mlir
    from jax._src.lib import xla_client
    from jax.errors import JaxRuntimeError
    from jax.experimental import topologies
    from jaxlib.mlir import ir

    devices = topologies.get_topology_desc(platform="tpu", topology_name=topology.compiler_name).devices
    assert len(devices) == topology.cores
    options: Any = xla_client.CompileOptions()
    for settings in (options, options.executable_build_options):
        settings.num_replicas, settings.num_partitions = 1, topology.cores
        settings.device_assignment = xla_client.DeviceAssignment.create(np.arange(topology.cores)[None])
    options.executable_build_options.use_spmd_partitioning = True
    with mlir.make_ir_context():
        stablehlo = str(ir.Module.parse(xla_client._xla.mlir.hlo_to_stablehlo(hlo)))
        module = ir.Module.parse(_spread(stablehlo, topology.cores))
        try:
            program = devices[0].client.compile(module, xla_client.DeviceList(tuple(devices)), options)
        except JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" in str(error):
                raise DoesNotFitError(str(error).splitlines()[0]) from error
            raise
    costs, memory = program.cost_analysis(), program.get_compiled_memory_stats()
    text = program.hlo_modules()[0].to_string()
    all_reduces = _all_reduce_bytes(text)
    needed = memory.argument_size_in_bytes + memory.temp_size_in_bytes + memory.generated_code_size_in_bytes
    return Cost(
        flops=costs["flops"],
        hbm_bytes=costs["bytes accessed"],
        memory_bytes=needed,
        cycles=sum(int(cycles) for cycles in re.findall(r'"estimated_cycles":"(\d+)"', text)),
        all_reduces=len(all_reduces),
        all_reduce_bytes=sum(all_reduces),
    )
