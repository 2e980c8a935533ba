"""Prints what `backends/xla` relies on in Lightning and torch_xla without their promise, as JSON.

``python -m tests.backends.xla.internals FILE``; a process has one XLA runtime. FILE becomes a checkpoint.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch_xla
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.strategies.single_xla import SingleDeviceXLAStrategy
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch_xla import runtime
from torch_xla.backends import get_mat_mul_precision

from deblurlab.backends.xla.accelerator import SPMDAccelerator, choose_client
from deblurlab.backends.xla.checkpoint_io import AtomicXLACheckpointIO
from deblurlab.backends.xla.counters import transfers
from deblurlab.backends.xla.elu import mend_elu, slope_at_minus_two
from deblurlab.backends.xla.precision import SPMDPrecision
from deblurlab.backends.xla.strategy import SPMDStrategy


class Batch(NamedTuple):
    numbers: Tensor


class Task(LightningModule):
    """A layer whose optimizer's step notes what happens in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.events: list[str] = []

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        self.events.append("forward")
        loss: Tensor = self.layer(batch.numbers).mean()
        return loss

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        self.events.append("before the step")

    def configure_gradient_clipping(self, *args: Any, **kwargs: Any) -> None:
        self.events.append("clip")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1.0)


def facts(checkpoint: Path) -> dict[str, Any]:
    choose_client("xla_cpu", 2)
    runtime.use_spmd()
    device = torch_xla.device()
    found: dict[str, Any] = {"slope of torch_xla": slope_at_minus_two(device)}
    precision = SPMDPrecision(bfloat16=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "XLA_USE_SPMD")  # because this is the second call in this process
        strategy = SPMDStrategy(
            accelerator=SPMDAccelerator(),
            checkpoint_io=AtomicXLACheckpointIO(),
            precision_plugin=precision,
            float32="high",
        )
    found["precision of products"] = get_mat_mul_precision()
    found["slope"] = slope_at_minus_two(device)
    found["a right slope is replaced"] = mend_elu.__wrapped__(device) is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parent = SingleDeviceXLAStrategy(device=device)
    found["missing attributes"] = sorted(vars(parent).keys() - vars(strategy).keys())

    task = Task()
    run = precision.run
    precision.run = lambda: (task.events.append("run"), run())[1]
    trainer = Trainer(
        strategy=strategy,
        devices=1,
        max_steps=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(task, DataLoader([torch.ones(3)] * 4, batch_size=2, collate_fn=lambda rows: Batch(torch.stack(rows))))
    found["events"] = task.events

    state = {"state_dict": {str(i): torch.full((3,), float(i), device=device) for i in range(20)}}
    torch_xla.sync()
    before = transfers()
    AtomicXLACheckpointIO().save_checkpoint(state | {"pytorch-lightning_version": "2.6"}, checkpoint)
    found["transfers of a checkpoint"] = transfers() - before
    return found


if __name__ == "__main__":
    print(json.dumps(facts(Path(sys.argv[1]))))
