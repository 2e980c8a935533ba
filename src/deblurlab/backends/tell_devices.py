"""Tells a data module how many devices share its batches."""

from lightning.pytorch import Callback, LightningModule, Trainer
from typing_extensions import override

from deblurlab.callbacks.lightning_internals import datamodule
from deblurlab.interfaces import SplitsBatches


class TellDevices(Callback):
    """Calls ``split_over`` of the trainer's data module, if it has this method, before the first batch is requested.

    Args:
        devices: The number of devices over which this process splits each batch.
    """

    def __init__(self, devices: int) -> None:
        self.devices = devices

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        data = datamodule(trainer)
        if isinstance(data, SplitsBatches):
            data.split_over(self.devices)
