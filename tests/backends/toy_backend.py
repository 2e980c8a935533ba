"""A further backend, as small as it can be: a machine that looks like four devices and is the CPU."""

from dataclasses import replace
from typing import ClassVar

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from typing_extensions import override

from deblurlab.backends import Backend, DeviceSettings, Training
from deblurlab.backends.torch_devices import TorchDevices


class FrameCounter(Callback):
    """Notes how many frames each test batch holds."""

    def __init__(self) -> None:
        self.frames: list[int] = []

    @override
    def on_test_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, *_: object) -> None:
        self.frames.append(len(batch.valid))


class Toy(Backend):
    accelerators: ClassVar[frozenset[str]] = frozenset({"toy"})
    folds: ClassVar[bool] = False

    def __init__(self) -> None:
        self.frame_counter = FrameCounter()

    @override
    def finds(self, accelerator: str) -> bool:
        return True

    @override
    def training(self, settings: DeviceSettings) -> Training:
        one = TorchDevices().training(replace(settings, accelerator="cpu", devices=1))
        return Training(arguments=one.arguments, callbacks=[self.frame_counter], devices=int(settings.devices))

    @override
    def device(self, accelerator: str) -> torch.device:
        return torch.device("cpu")
