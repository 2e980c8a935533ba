"""bfloat16 for the network only, and one graph per training step."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch_xla
from lightning.pytorch import LightningModule
from lightning.pytorch.plugins import XLAPrecision
from torch.optim import Optimizer
from typing_extensions import override


class SPMDPrecision(XLAPrecision):
    """Autocast around the steps; weights, gradients and the optimizer's state stay float32.

    Lightning's ``bf16-true`` would set XLA_USE_BF16, which turns every float32 of the process into bfloat16, including
    the weights, Adam's state and the metrics.

    Args:
        bfloat16: Whether the network runs in bfloat16.
        run_each_step: Under manual optimization, whether a graph runs after each optimizer step instead of once per
            batch.

    Attributes:
        run: Runs the operations that were traced so far. ``trace.py`` replaces this function to get the graph instead.
    """

    def __init__(self, *, bfloat16: bool, run_each_step: bool = False) -> None:
        super().__init__("32-true")
        self.bfloat16, self.run_each_step = bfloat16, run_each_step
        self.precision = "bf16-mixed" if bfloat16 else "32-true"
        self.run: Callable[[], None] = torch_xla.sync

    @override
    def forward_context(self) -> AbstractContextManager[Any]:
        return torch.autocast("xla", dtype=torch.bfloat16) if self.bfloat16 else nullcontext()

    @override
    def optimizer_step(  # type: ignore[override]
        self, optimizer: Optimizer, model: LightningModule, closure: Callable[[], Any], **kwargs: Any
    ) -> Any:
        """Make the step, then :attr:`run` its graph: forward and backward pass, all-reduces and update in one.

        Nothing is reduced here: XLA's partitioner adds the all-reduces, because the batch is split over the devices and
        the weights are not.
        """
        result = optimizer.step(closure=lambda: self._wrap_closure(model, optimizer, closure), **kwargs)
        if model.automatic_optimization or self.run_each_step:
            optimizer.zero_grad()  # gradients that are kept would be results of the graph, written to memory
            self.run()
        return result
