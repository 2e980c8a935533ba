"""Traces the real training step into HLO, with a real Trainer, without running it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

import torch
import torch_xla
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from torch import Tensor
from torch.optim import Adam
from typing_extensions import override

from deblurlab.backends.xla.precision import SPMDPrecision

T = TypeVar("T")


def serialised(results: list[Tensor]) -> bytes:
    """The HloModuleProto that computes ``results``."""
    hlo: bytes = torch_xla._XLAC._get_xla_tensors_hlo_proto(results)  # type: ignore[attr-defined]
    return hlo


def readable(results: list[Tensor]) -> str:
    """The HLO that computes ``results``, as text."""
    hlo: str = torch_xla._XLAC._get_xla_tensors_hlo(results)  # type: ignore[attr-defined]
    return hlo


def training_step(
    trainer_with: Callable[[Callback], Trainer],
    task: LightningModule,
    data: LightningDataModule,
    lower: Callable[[list[Tensor]], T],
) -> T:
    """Trace a whole training step: the blur, forward and backward pass, Adam and the logged values.

    XLA's partitioner adds the all-reduces later, when the step is compiled.

    Args:
        trainer_with: Makes a trainer of ``trainer=xla_cpu`` with the given callback. The trainer cannot be used
            afterwards.
        task: The task whose step is traced. Its weights and its optimizers' states are lost.
        data: The data module. Only the shapes of its batches matter.
        lower: Turns the step's results, lazy tensors, into HLO: :func:`serialised` or :func:`readable`.

    Raises:
        ValueError: If the task has another optimizer than Adam.
    """
    tracer = _Tracer(lower)
    trainer = trainer_with(tracer)
    _keep_results_pending(trainer)
    with suppress(_StepTracedError):
        trainer.fit(task, datamodule=data)
    return tracer.hlo[0]


class _StepTracedError(Exception):
    """Ends the training loop: its next statement would read a number, and so run the step."""


class _Tracer(Callback, Generic[T]):
    """Lowers the first step instead of running it."""

    def __init__(self, lower: Callable[[list[Tensor]], T]) -> None:
        self.hlo: list[T] = []
        self._lower = lower

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        _start_adam(trainer)
        precision = trainer.strategy.precision_plugin
        assert isinstance(precision, SPMDPrecision)
        precision.run = lambda: self._capture(trainer, pl_module)

    def _capture(self, trainer: Trainer, task: LightningModule) -> None:
        states: list[Any] = [
            value for one in trainer.optimizers for state in one.state.values() for value in state.values()
        ]
        results = [*task.parameters(), *task.buffers(), *states, *trainer.callback_metrics.values()]
        pending = [value for value in results if isinstance(value, Tensor) and value.device.type == "xla"]
        self.hlo.append(self._lower(pending))
        raise _StepTracedError


def _start_adam(trainer: Trainer) -> None:
    """Initialise Adam's state, because the graph of a first step that does so would differ from all others."""
    for optimizer in trainer.optimizers:
        if not isinstance(optimizer, Adam):
            raise ValueError(f"plan knows Adam's state only, not that of {type(optimizer).__name__}.")
        for parameter in (weight for group in optimizer.param_groups for weight in group["params"]):
            optimizer.state[parameter] = {
                "step": torch.zeros((), device=parameter.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
    torch_xla.sync()


def _keep_results_pending(trainer: Trainer) -> None:
    """Disable the trainer's clean-up, which would move the weights to the host and, for that, run the step.

    Lightning has no public option for it. ``tests/backends/xla/test_trace.py`` fails if this method is renamed.
    """
    trainer._teardown = lambda: None  # type: ignore[method-assign]
