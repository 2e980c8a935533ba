"""Seeds the random numbers of each training batch, so that a resumed run draws what it would have drawn."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from deblurlab.callbacks.lightning_internals import batches_trained


class SeedBatches(Callback):
    """Seeds torch in each training step with the run's seed and the number of the batch, for dropout and the like.

    Several processes, which have different images of the batch, draw different numbers.
    """

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._seed = torch.initial_seed()

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        # the run's seed in the upper half, the batch in the lower one; ranks are 16 million batches apart
        seed = (self._seed << 32 | batches_trained(trainer)) + (trainer.global_rank << 24)
        if trainer.strategy.root_device.type == "cpu":
            # torch.manual_seed would seed GPUs, too, and format a traceback for each kind of them that is not in use.
            torch.default_generator.manual_seed(seed % 2**63)
        else:
            torch.manual_seed(seed % 2**63)
