"""Callbacks for training in several processes."""

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import distributed
from typing_extensions import override

from deblurlab.backends.distributed.global_batch_norm import GlobalBatchNorm
from deblurlab.callbacks.lightning_internals import datamodule
from deblurlab.interfaces import DrawsForRows, SkipsFrames
from deblurlab.nets.folding import replace_norms
from deblurlab.processes.rank import Rank


class TellRows(Callback):
    """Tells a task that draws random numbers per row which rows of the global batches this process trains on.

    Args:
        rank: The rank of this process.
    """

    def __init__(self, rank: Rank) -> None:
        self.rank = rank

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if isinstance(pl_module, DrawsForRows):
            pl_module.take_part(self.rank.rank, self.rank.world)


class NormaliseTogether(Callback):
    """Makes the batch normalisations of a task's networks use the statistics of the global batch."""

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        replace_norms(pl_module, GlobalBatchNorm)


class GatherSkipped(Callback):
    """Tells each process which test frames the others could not read, since the table per image leaves them out."""

    @override
    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        data = datamodule(trainer)
        if isinstance(data, SkipsFrames):
            found: list[set[int]] = [set() for _ in range(trainer.world_size)]
            distributed.all_gather_object(found, data.skipped("test"))
            data.skipped("test").update(*found)
