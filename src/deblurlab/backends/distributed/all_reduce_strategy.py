"""The strategy of data parallel training: one process per device, gradients averaged after each backward pass."""

import atexit
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
from lightning.fabric.plugins import ClusterEnvironment
from lightning.pytorch.strategies import ParallelStrategy
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, distributed
from torch.optim import Optimizer
from typing_extensions import override

from deblurlab.backends.distributed.global_batch_norm import running_statistics
from deblurlab.backends.distributed.meeting import meet
from deblurlab.backends.distributed.reductions import average_

T = TypeVar("T")

# A process may write a checkpoint, draw figures or download data while the others wait.
_PATIENCE = timedelta(minutes=30)


class AllReduceStrategy(ParallelStrategy):
    """Each process computes the gradient of its part of the batch; one all-reduce averages them.

    The mean over equal parts of a batch is the mean over the batch, so that every process makes the step that one
    process would make with the whole batch. PyTorch's DistributedDataParallel reduces in hooks of the backward pass,
    which a gradient penalty runs through twice; here the reduction follows the backward pass.

    Args:
        environment: Lightning's environment, with the rank of this process and the address of the first one.
        average_statistics: Whether the running statistics of batch normalisation differ between the processes. Then
            they are averaged together with the gradients.
    """

    def __init__(self, environment: ClusterEnvironment, *, average_statistics: bool) -> None:
        super().__init__(cluster_environment=environment)
        self.average_statistics = average_statistics
        self._accumulates = False

    @property
    @override
    def root_device(self) -> torch.device:
        assert self.parallel_devices is not None
        return self.parallel_devices[self.local_rank]

    @property
    def is_distributed(self) -> bool:
        """Lightning recognises its own distributed strategies by their class, and others by this property."""
        return True

    @override
    def setup_environment(self) -> None:
        """Connect to the other processes: by nccl for tensors on GPUs, by gloo for those on the CPU."""
        super().setup_environment()
        assert self.cluster_environment is not None
        rank_zero_only.rank = self.global_rank  # type: ignore[attr-defined]
        if distributed.is_initialized():  # by the training before this test
            return
        address, port = self.cluster_environment.main_address, self.cluster_environment.main_port
        store = meet(self.global_rank, self.world_size, address=address, port=port)
        store.set_timeout(_PATIENCE)  # nccl's first exchange waits at the store, whose default are five minutes
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if self.root_device.type == "cuda" else "gloo",
            store=store,
            rank=self.global_rank,
            world_size=self.world_size,
            timeout=_PATIENCE,
        )
        atexit.register(distributed.destroy_process_group)

    @override
    def model_to_device(self) -> None:
        assert self.model is not None
        self.model.to(self.root_device)

    @override
    def backward(self, closure_loss: Tensor, optimizer: Optimizer | None, *args: Any, **kwargs: Any) -> Tensor:
        """Compute the gradients of this process's loss, then average them over the processes.

        These are the gradients of the weights in ``inputs`` if a task passes it, or of all weights. While gradients of
        several batches are accumulated, only the last batch averages, for all of them.
        """
        loss = super().backward(closure_loss, optimizer, *args, **kwargs)
        if not self._accumulates:
            assert self.lightning_module is not None
            weights = kwargs.get("inputs") or self.lightning_module.parameters()
            gradients = [weight.grad for weight in weights if weight.grad is not None]
            statistics = running_statistics(self.lightning_module) if self.average_statistics else []
            average_([*gradients, *statistics])
        return loss

    @contextmanager
    @override
    def block_backward_sync(self) -> Generator[None, None, None]:
        self._accumulates = True
        try:
            yield
        finally:
            self._accumulates = False

    @override
    def reduce(self, tensor: Any, group: Any | None = None, reduce_op: Any = "mean") -> Any:
        """The mean, or with ``sum`` the sum, over the processes; values that are not tensors are returned unchanged."""
        if not isinstance(tensor, Tensor):
            return tensor
        total = tensor.detach().clone()
        distributed.all_reduce(total)
        return total / self.world_size if reduce_op in ("mean", "avg", None) else total

    def largest(self, numbers: Sequence[float]) -> list[float]:
        """See :class:`deblurlab.interfaces.ManyProcesses`. The exchange is on the CPU, so it waits for no GPU."""
        found = torch.tensor(numbers, dtype=torch.double)
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return found.tolist()

    @override
    def barrier(self, name: str | None = None) -> None:
        if distributed.is_initialized():
            distributed.all_reduce(torch.zeros(()))  # on the CPU, so it waits for no GPU

    @override
    def broadcast(self, obj: T, src: int = 0) -> T:
        if not distributed.is_initialized():
            return obj
        box = [obj]
        distributed.broadcast_object_list(box, src, device=torch.device("cpu"))
        return box[0]
