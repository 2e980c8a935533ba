"""Converts the networks of a task to the form that is fastest on a backend."""

from lightning.pytorch import Callback, LightningModule, Trainer
from typing_extensions import override

from deblurlab.backends.backend import Backend


class PrepareNetworks(Callback):
    """Calls a backend's ``prepare`` with the trainer's task, before the first batch.

    Args:
        backend: The backend of the trainer.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self.backend.prepare(pl_module)
