"""Runs the TPU compiler without a TPU, and returns the cost of an HLO module on a core."""

import importlib.util
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from deblurlab.planning.chips import Topology
from deblurlab.planning.hlo_text import all_reduce_bytes, estimated_cycles, split_over

# Without these, libtpu would look for the TPU VM that it runs on, and lock its chips against other processes.
_WITHOUT_A_TPU = {
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "TPU_ACCELERATOR_TYPE": "v2-8",
    "TPU_STDERR_LOG_LEVEL": "3",
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",  # so that several processes can plan at once
}


@dataclass(frozen=True)
class Cost:
    """The cost of one run of a compiled program on one core.

    Attributes:
        flops: Floating point operations; a multiplication and an addition count as two.
        hbm_bytes: Bytes that all operations together read from and write to the core's memory (HBM).
        memory_bytes: The peak use of that memory: arguments, temporary values and code. The results replace the
            arguments.
        cycles: The compiler's estimate, summed over all operations. It leaves out the time that collectives
            spend on the links between chips.
        all_reduces: The number of all-reduces.
        all_reduce_bytes: The bytes that all of them together reduce.
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
    """Check that jax and libtpu are installed.

    Raises:
        ValueError: If one is missing; the message says what to install.
    """
    if importlib.util.find_spec("jax") is None or importlib.util.find_spec("libtpu") is None:
        raise ValueError("plan needs the TPU compiler: pip install 'deblurlab[plan]' (jax and libtpu; no TPU needed).")


def compile_for(topology: Topology, hlo: bytes) -> Cost:
    """Compile a training step for all cores of a slice.

    Args:
        topology: The slice.
        hlo: A serialised HloModuleProto whose batch is split over any number of devices.

    Raises:
        DoesNotFitError: If a core's memory is too small for the program.
        ValueError: If this version of the compiler prints programs in an unknown form.
    """
    program = _compiled(topology, hlo)
    costs, memory = program.cost_analysis(), program.get_compiled_memory_stats()
    text = program.hlo_modules()[0].to_string()
    reduced = all_reduce_bytes(text)
    return Cost(
        flops=costs["flops"],
        hbm_bytes=costs["bytes accessed"],
        memory_bytes=(memory.argument_size_in_bytes + memory.temp_size_in_bytes + memory.generated_code_size_in_bytes),
        cycles=estimated_cycles(text),
        all_reduces=len(reduced),
        all_reduce_bytes=float(sum(reduced)),
    )


def _compiled(topology: Topology, hlo: bytes) -> Any:
    """The executable of jax's TPU client. jax has no public function that compiles another library's module."""
    for name, value in _WITHOUT_A_TPU.items():
        os.environ.setdefault(name, value)
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
        module = ir.Module.parse(split_over(stablehlo, topology.cores))
        try:
            return devices[0].client.compile(module, xla_client.DeviceList(tuple(devices)), options)
        except JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" in str(error):
                raise DoesNotFitError(str(error).splitlines()[0]) from error
            raise
