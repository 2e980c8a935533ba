"""What each of several processes does in addition to training."""

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import distributed
from typing_extensions import override

from deblurlab.backends.distributed.global_batch_norm import GlobalBatchNorm
from deblurlab.callbacks.lightning_internals import datamodule
from deblurlab.interfaces import DrawsForRows, SkipsFrames
from deblurlab.nets.folding import replace_norms
from deblurlab.processes.rank import Rank


class TellRows(Callback):
    """Tells a task which rows of the global batches it trains on, where it draws something for each row.

    Args:
        rank: Which process this is.
    """

    def __init__(self, rank: Rank) -> None:
        self.rank = rank

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if isinstance(pl_module, DrawsForRows):
            pl_module.take_part(self.rank.rank, self.rank.world)


class NormaliseTogether(Callback):
    """Has the batch normalisations of a task's networks take the statistics of the global batch."""

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        replace_norms(pl_module, GlobalBatchNorm)


class GatherSkipped(Callback):
    """Lets each process know which test frames the others could not read: the table per image leaves them out."""

    @override
    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        data = datamodule(trainer)
        if isinstance(data, SkipsFrames):
            found: list[set[int]] = [set() for _ in range(trainer.world_size)]
            distributed.all_gather_object(found, data.skipped("test"))
            data.skipped("test").update(*found)
