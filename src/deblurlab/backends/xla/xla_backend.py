"""The backend for TPUs: one process per host trains on all its cores."""

from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from typing_extensions import override

from deblurlab.backends.backend import Backend, Devices, DeviceSettings, Training
from deblurlab.backends.xla.installation import Client, require_torch_xla, tpu_found
from deblurlab.processes.rank import this_rank

if TYPE_CHECKING:
    from deblurlab.backends.xla.strategy import SPMDStrategy


class XLA(Backend):
    """All cores of a TPU, or the virtual devices of ``xla_cpu``, by SPMD."""

    accelerators: ClassVar[frozenset[str]] = frozenset({"auto", "tpu", "xla_cpu"})
    folds: ClassVar[bool] = True

    @override
    def finds(self, accelerator: str) -> bool:
        return accelerator == "xla_cpu" or tpu_found()

    @override
    def training(self, settings: DeviceSettings) -> Training:
        """Start the XLA runtime, of which a process can have one only, and split each batch over all its devices."""
        if settings.precision not in ("auto", "bf16-mixed", "32-true"):
            raise ValueError(f"trainer.precision must be auto, bf16-mixed or 32-true on XLA, got {settings.precision}.")
        if (rank := this_rank()) is not None and rank.local > 1:
            raise ValueError(
                f"XLA takes one process per host, which trains on all its devices; {rank.by} has started {rank.local}."
            )
        strategy = spmd_strategy(
            _client(settings.accelerator),
            devices="auto" if settings.accelerator == "auto" else settings.devices,
            bfloat16=settings.precision != "32-true",
            run_each_step=settings.graph == "step",
            float32=settings.float32,
        )
        from deblurlab.backends.parts_of_batch import PartsOfBatch
        from deblurlab.backends.xla.compilation_report import CompilationReport
        from deblurlab.backends.xla.per_core import NormalisePerCore

        cores = strategy.devices
        normalisation = [NormalisePerCore(cores), PartsOfBatch(cores)] if settings.batch_norm == "per_core" else []
        return Training(
            # The strategy has its own accelerator and precision, and counts as one device.
            arguments={"accelerator": "auto", "devices": 1, "precision": None, "strategy": strategy},
            callbacks=[CompilationReport(), *normalisation],
            devices=strategy.devices // strategy.world_size,
        )

    @override
    def device(self, accelerator: str) -> torch.device:
        """A TPU's first core, or the CPU as a single XLA device."""
        client = _client(accelerator)
        require_torch_xla(f"trainer={client}")
        import torch_xla

        from deblurlab.backends.xla.accelerator import choose_client

        choose_client(client, "auto" if client == "tpu" else 1)
        return torch_xla.device()


def _client(accelerator: str) -> Client:
    return "xla_cpu" if accelerator == "xla_cpu" else "tpu"


def spmd_strategy(
    client: Client,
    *,
    devices: Devices,
    bfloat16: bool,
    run_each_step: bool = False,
    float32: Literal["highest", "high"] = "highest",
) -> "SPMDStrategy":
    """The strategy that trains on every core, with its accelerator, precision and checkpoint IO.

    Call this before any use of an XLA device: a process has one runtime, and this call chooses it.

    Args:
        client: ``tpu``, all cores of this host (and of the other hosts of a pod slice); or ``xla_cpu``.
        devices: The number of virtual devices of ``xla_cpu``; ``auto`` for a TPU, which always uses all its cores.
        bfloat16: Whether the network runs in bfloat16. Weights, optimizer, losses and metrics stay float32.
        run_each_step: If a batch has several optimizer steps, whether each runs as a separate graph.
        float32: How exactly a TPU multiplies in float32; see :class:`deblurlab.backends.DeviceSettings`.

    Raises:
        ValueError: If torch_xla or the TPU is missing, or ``devices`` is invalid for the client.
    """
    require_torch_xla(f"trainer={client}")
    from deblurlab.backends.xla import accelerator, checkpoint_io, precision, strategy

    accelerator.choose_client(client, devices)
    return strategy.SPMDStrategy(
        accelerator=accelerator.SPMDAccelerator(),
        checkpoint_io=checkpoint_io.AtomicXLACheckpointIO(),
        precision_plugin=precision.SPMDPrecision(bfloat16=bfloat16, run_each_step=run_each_step),
        float32=float32,
    )
