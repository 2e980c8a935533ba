"""Batch normalisation on each core separately."""

from functools import partial

from lightning.pytorch import Callback, LightningModule, Trainer
from typing_extensions import override

from deblurlab.nets.folding import GroupedBatchNorm, replace_norms


class NormalisePerCore(Callback):
    """Makes the batch normalisations of a task's networks use the statistics of each core's images separately.

    XLA's partitioner gives each core a part of the batch, which is a group of the normalisation, so that the sums need
    no all-reduce.

    Args:
        cores: The number of cores, on all hosts, over which a batch is split.
    """

    def __init__(self, cores: int) -> None:
        self.cores = cores

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        replace_norms(pl_module, partial(GroupedBatchNorm, groups=self.cores))
