"""Reports XLA's compilations and their time, and warns of unexpected ones."""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch_xla
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from deblurlab.backends.xla.counters import compiled, fallbacks, operations
from deblurlab.interfaces import Dashboard

log = logging.getLogger(__name__)


def _shapes(batch: Any) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in batch._asdict().items() if isinstance(value, Tensor)}


class CompilationReport(Callback):
    """Reports the number of graphs and their compile time after the first epoch, and warns of each later compilation.

    XLA compiles a graph when its operations or shapes are new, which takes seconds to minutes on a TPU. Every step
    should run the same few graphs, so that the first epoch sees them all. The warning says what differed from the last
    step of the same kind. Operations that fall back to the host are reported once, too.

    An epoch whose first batch has another shape, as with ``data.crops={0: 16, 20: 24}``, counts as a first epoch.
    """

    def __init__(self) -> None:
        self._graphs = 0
        self._seconds = 0.0
        self._first_epoch_done = False
        self._operations: Counter[str] = Counter()
        self._usual: dict[str, tuple[dict[str, tuple[int, ...]], Counter[str]]] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._first_epoch_done, self._operations = False, operations()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self._usual:
            return
        torch_xla.sync()  # run the operations that the end of the last epoch has left pending
        if not self._first_epoch_done:
            self._report()
        self._first_epoch_done = True

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        shapes = _shapes(batch)
        if batch_idx == 0 and self._first_epoch_done and self._usual["training batch"][0] != shapes:
            log.info(f"from epoch {trainer.current_epoch + 1} on, blurred is {shapes['blurred']}: XLA compiles again")
            self._first_epoch_done = False

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self._check("training batch", f"{batch_idx + 1} of epoch {trainer.current_epoch + 1}", _shapes(batch))

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._check("validation batch", f"{batch_idx + 1} of epoch {trainer.current_epoch + 1}", _shapes(batch))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._check("the end", f"of epoch {trainer.current_epoch + 1}", {})
        for logger in trainer.loggers:
            if isinstance(logger, Dashboard):
                logger.log_beside({"xla/graphs": self._graphs, "xla/compile_seconds": self._seconds})

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self._first_epoch_done:
            self._report()

    def _report(self) -> None:
        self._graphs, self._seconds = compiled()
        log.info(f"XLA compiled {self._graphs} graphs in {self._seconds:.0f} s")
        if names := fallbacks():
            listed = ", ".join(f"{name} ({count} times)" for name, count in names.items())
            log.warning(f"XLA does not know these operations; they move data to the host and back: {listed}")

    def _check(self, kind: str, which: str, shapes: dict[str, tuple[int, ...]]) -> None:
        """Warn if anything was compiled since the last check.

        Args:
            kind: The kind of step that has ended, such as "training batch".
            which: The number of the step, for the warning.
            shapes: The shapes of the step's batch.
        """
        before, self._operations = self._operations, operations()
        since = self._operations - before
        graphs, seconds = compiled()
        if self._first_epoch_done and graphs > self._graphs:
            more, took = graphs - self._graphs, seconds - self._seconds
            log.warning(
                f"XLA compiled {more} more graphs ({took:.1f} s) at {kind} {which}, though the first epoch should "
                f"have seen all: {self._changes(kind, shapes, since)}."
            )
        self._graphs, self._seconds = graphs, seconds
        self._usual[kind] = shapes, since

    def _changes(self, kind: str, shapes: dict[str, tuple[int, ...]], since: Counter[str]) -> str:
        """How a step differs from the last one of its kind."""
        if kind not in self._usual:
            return "the first epoch had no such step"
        usual_shapes, usual = self._usual[kind]
        changes = [
            f"{name} was {usual_shapes[name]}, is {shape}"
            for name, shape in shapes.items()
            if usual_shapes[name] != shape
        ]
        changes += [f"{count} more {name}" for name, count in (since - usual).items()]
        changes += [f"{count} fewer {name}" for name, count in (usual - since).items()]
        same = "the same shapes and operations, so a number that is a constant of the graph has changed"
        return "; ".join(changes) or same
