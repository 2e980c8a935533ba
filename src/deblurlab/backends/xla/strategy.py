"""Data parallel training on all XLA devices by SPMD: XLA partitions one program over them."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import numpy as np
import torch
import torch_xla
import torch_xla.distributed.spmd as xs
from lightning.fabric.plugins import XLACheckpointIO
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch import Trainer
from lightning.pytorch.accelerators import Accelerator
from lightning.pytorch.plugins import XLAPrecision
from lightning.pytorch.strategies.single_xla import SingleDeviceXLAStrategy
from torch import Tensor
from torch.optim import Optimizer
from torch_xla import runtime
from torch_xla.backends import set_mat_mul_precision
from torch_xla.core.xla_model import send_cpu_data_to_device, set_rng_state
from typing_extensions import override

from deblurlab.backends.xla.device_loader import DeviceLoader, ResumableDeviceLoader
from deblurlab.backends.xla.elu import mend_elu
from deblurlab.backends.xla.hosts import Hosts
from deblurlab.callbacks.lightning_internals import batches_trained
from deblurlab.interfaces import Resumable

T = TypeVar("T")

# An optimizer's settings on XLA: its step count must be on the device, and it must not use kernels of CUDA or the CPU.
_IN_GRAPH = {"capturable": True, "foreach": False, "fused": False}


def _in_graph(group: Mapping[str, Any]) -> dict[str, bool]:
    """The settings of ``_IN_GRAPH`` that a parameter group of an optimizer has."""
    return {name: value for name, value in _IN_GRAPH.items() if name in group}


class SPMDStrategy(SingleDeviceXLAStrategy):
    """One process per host sees all its devices as one; batches are split over a mesh of all devices of all hosts.

    Weights and optimizer state are replicated. Every operation has the same meaning as on one device with the whole
    batch: BatchNorm normalises over the global batch, and a mean is the global mean. Therefore ``sync_dist`` is not
    needed, and a run's numbers do not depend on the number of devices.

    Every host must run the same graphs in the same order. Code that reads a value computed from the batch must do so
    on all hosts; only files are written by the first host alone.

    Args:
        accelerator: An accelerator of XLA devices.
        checkpoint_io: Writes and reads the checkpoints.
        precision_plugin: A :class:`~deblurlab.backends.xla.precision.SPMDPrecision`.
        float32: How exactly a TPU multiplies in float32; see :class:`deblurlab.backends.DeviceSettings`.

    Attributes:
        devices: The number of devices of all hosts.
        mesh: The mesh of all devices, with the batch as its only axis.
        hosts: The communication between the processes of a pod slice.
    """

    def __init__(
        self,
        *,
        accelerator: Accelerator,
        checkpoint_io: XLACheckpointIO,
        precision_plugin: XLAPrecision,
        float32: Literal["highest", "high"],
    ) -> None:
        runtime.use_spmd()
        with warnings.catch_warnings():  # Lightning 2.6 finds the device by a function that torch_xla deprecates
            warnings.filterwarnings("ignore", "Use torch_xla.device instead", DeprecationWarning)
            super().__init__(
                device=torch_xla.device(),
                accelerator=accelerator,
                checkpoint_io=checkpoint_io,
                precision_plugin=precision_plugin,
            )
        mend_elu(self.root_device)
        # By default a TPU rounds the factors of float32 convolutions and products to bfloat16.
        logging.getLogger("torch_xla.backends").setLevel(logging.ERROR)  # it warns of every call
        set_mat_mul_precision(float32)
        self.devices = runtime.global_runtime_device_count()
        self.mesh = xs.Mesh(np.arange(self.devices), (self.devices,), ("batch",))
        count, index = runtime.process_count(), runtime.process_index()
        self.hosts = Hosts(index=index, count=count, master=runtime.get_master_ip() if count > 1 else "")
        self.global_rank, self.world_size = index, count
        rank_zero_only.rank = index  # type: ignore[attr-defined]
        # the settings that setup_optimizers replaces: for each optimizer, by its id, those of each parameter group
        self._settings: dict[int, list[dict[str, Any]]] = {}

    @property
    @override
    def is_global_zero(self) -> bool:
        return self.hosts.index == 0

    @override
    def barrier(self, *args: Any, **kwargs: Any) -> None:
        self.hosts.barrier()

    @override
    def broadcast(self, obj: T, src: int = 0) -> T:
        return self.hosts.broadcast(obj, src)

    def largest(self, numbers: Sequence[float]) -> list[float]:
        """See :class:`deblurlab.interfaces.ManyProcesses`."""
        return self.hosts.largest(numbers)

    @override
    def process_dataloader(self, dataloader: Any) -> DeviceLoader:
        resumable = isinstance(dataloader, Resumable)
        return (ResumableDeviceLoader if resumable else DeviceLoader)(dataloader, send=self._send)

    def _send(self, batch: Any) -> Any:
        """Send a batch to the devices.

        Args:
            batch: A named tuple of this host's rows: tensors (B, ...), and other values, which are not changed.

        Returns:
            The same tuple with its tensors on the devices, split over the mesh along their first dimension.
        """
        rows, here = len(batch[0]), self.devices // self.world_size
        if rows % here:
            raise ValueError(
                f"{rows} images per step cannot be split over {here} XLA devices: make data.batch_size a multiple of "
                f"{self.devices}."
            )
        return type(batch)(*(self._split(field) if isinstance(field, Tensor) else field for field in batch))

    def _split(self, rows: Tensor) -> Tensor:
        """Send a tensor of this host's rows, (B, ...), to the devices, split along its first dimension."""
        sharding = xs.ShardingSpec(self.mesh, ("batch", *[None] * (rows.ndim - 1)), minibatch=self.world_size > 1)
        sent: list[Tensor] = send_cpu_data_to_device(rows, self.root_device, sharding)  # type: ignore[assignment]
        return sent[0]

    @override
    def setup(self, trainer: Trainer) -> None:
        super().setup(trainer)
        torch_xla.sync()

    @override
    def setup_optimizers(self, trainer: Trainer) -> None:
        super().setup_optimizers(trainer)
        for optimizer in self.optimizers:
            self._settings[id(optimizer)] = [
                {name: group[name] for name in _in_graph(group)} for group in optimizer.param_groups
            ]
            for group in optimizer.param_groups:
                group.update(_in_graph(group))

    @override
    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Tensor]:
        """The state dict with the optimizer's original settings, so that a CPU or GPU can resume from it."""
        state = super().optimizer_state(optimizer)
        for group, settings in zip(state["param_groups"], self._settings[id(optimizer)], strict=True):
            group.update(settings)
        return state

    @override
    def load_optimizer_state_dict(self, checkpoint: Any) -> None:
        states = [dict(state) for state in checkpoint["optimizer_states"]]
        for state in states:
            state["param_groups"] = [group | _in_graph(group) for group in state["param_groups"]]
        super().load_optimizer_state_dict({"optimizer_states": states})

    @override
    def batch_to_device(self, batch: Any, device: torch.device | None = None, dataloader_idx: int = 0) -> Any:
        """Run pending operations first, so that the step's graph does not depend on them."""
        torch_xla.sync()
        return super().batch_to_device(batch, device, dataloader_idx)

    @override
    def training_step(self, *args: Any, **kwargs: Any) -> Any:
        """Seed the devices' random numbers with the run's seed and the batch, so that a resumed run draws the same."""
        assert self.lightning_module is not None
        batch = batches_trained(self.lightning_module.trainer)
        set_rng_state((torch.initial_seed() << 32 | batch) % 2**63)
        output = super().training_step(*args, **kwargs)
        if not self.lightning_module.automatic_optimization:
            self.precision_plugin.run()  # type: ignore[attr-defined]
        return output

    @override
    def validation_step(self, *args: Any, **kwargs: Any) -> Any:
        output = super().validation_step(*args, **kwargs)
        torch_xla.sync()
        return output

    @override
    def test_step(self, *args: Any, **kwargs: Any) -> Any:
        output = super().test_step(*args, **kwargs)
        torch_xla.sync()
        return output

    @override
    def teardown(self) -> None:
        super().teardown()
        self.barrier()
