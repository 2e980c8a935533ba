"""The real training step as StableHLO, traced by a Trainer and not run."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import torch
import torch_xla
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from torch import Tensor
from torch.optim import Adam

from deblurlab.backends.xla.precision import SPMDPrecision

T = TypeVar("T")


class _TracedError(Exception):
    """The step is traced; nothing is left to do."""


class _Start(Callback):
    """Gives Adam the state that it would have after the first step: every later step runs that graph."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
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


def serialised(results: list[Tensor]) -> bytes:
    """The HloModuleProto that computes ``results``."""
    hlo: bytes = torch_xla._XLAC._get_xla_tensors_hlo_proto(results)  # type: ignore[attr-defined]
    return hlo


def readable(results: list[Tensor]) -> str:
    """The HLO that computes ``results``, as text."""
    hlo: str = torch_xla._XLAC._get_xla_tensors_hlo(results)  # type: ignore[attr-defined]
    return hlo


def training_step(
    trainer: Trainer, task: LightningModule, data: LightningDataModule, lower: Callable[[list[Tensor]], T]
) -> T:
    """A training step as a whole: blur, forward, backward, Adam and the logged values; XLA adds the all-reduces.

    Args:
        trainer: of ``trainer=xla_cpu``. It is of no further use.
        task: whose step it is.
        data: its batches' shapes matter.
        lower: turns the step's results, lazy tensors, into HLO; :func:`serialised` or :func:`readable`.
    """
    hlo: list[T] = []

    def capture() -> None:
        states: list[Any] = [
            value for one in trainer.optimizers for state in one.state.values() for value in state.values()
        ]
        results = [*task.parameters(), *task.buffers(), *states, *trainer.callback_metrics.values()]
        pending = [value for value in results if isinstance(value, Tensor) and value.device.type == "xla"]
        hlo.append(lower(pending))
        raise _TracedError

    precision = trainer.strategy.precision_plugin
    assert isinstance(precision, SPMDPrecision)
    precision.run = capture
    trainer._teardown = lambda: None  # type: ignore[method-assign]  # it would fetch, and so run, the results
    trainer.callbacks.append(_Start())  # type: ignore[attr-defined]
    with suppress(_TracedError):
        trainer.fit(task, datamodule=data)
    return hlo[0]
