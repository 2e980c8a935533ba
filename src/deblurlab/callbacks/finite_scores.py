"""Ends a run whose validation or test loss is not finite, whatever callbacks its configuration names."""

import math

from lightning.pytorch import Callback, LightningModule, Trainer


class FiniteScores(Callback):
    """Checks the loss of each validation, before a checkpoint of such weights replaces a good one, and of the test.

    Every trainer has this callback. :class:`~deblurlab.callbacks.Divergence` notices a diverging training sooner.

    Raises:
        ValueError: If the loss of validation or test is NaN or infinite.
    """

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        loss = float(trainer.callback_metrics.get("val/loss", 0.0))
        if not math.isfinite(loss):
            raise ValueError(
                f"the validation of epoch {trainer.current_epoch + 1} gives val/loss = {loss:.3g}. If the losses of "
                "training are numbers, look at what the network computes in evaluation mode alone, such as from "
                "running statistics, and at the validation images. The checkpoints are those of the epochs before."
            )

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        loss = float(trainer.callback_metrics.get("test/restored/loss", 0.0))
        if not math.isfinite(loss):
            raise ValueError(
                f"the test gives loss = {loss:.3g}: the network's images are not numbers. Take the weights of another "
                "epoch or run, or look at the test images."
            )
