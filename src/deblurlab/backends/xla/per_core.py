"""Batch normalisation on each core by itself."""

from functools import partial

from lightning.pytorch import Callback, LightningModule, Trainer
from typing_extensions import override

from deblurlab.nets.folding import GroupedBatchNorm, replace_norms


class NormalisePerCore(Callback):
    """Has the batch normalisations of a task's networks take the statistics of each core's images alone.

    XLA's partitioner gives each core a part of the batch, and so a group of the normalisation: its sums need no
    all-reduce.

    Args:
        cores: Over how many cores of all hosts a batch is split.
    """

    def __init__(self, cores: int) -> None:
        self.cores = cores

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        replace_norms(pl_module, partial(GroupedBatchNorm, groups=self.cores))
