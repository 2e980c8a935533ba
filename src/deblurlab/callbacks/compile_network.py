"""Compiles the network with torch.compile for the training steps."""

import logging
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from typing_extensions import override

from deblurlab.processes.rank import is_first

log = logging.getLogger(__name__)


class CompileNetwork(Callback):
    """Compiles the network (of a WGAN, the generator) with ``torch.compile`` for the training steps.

    The compiler fuses small operations, of which NAFNet and transformers have many. The first step takes a minute or
    more. Each further size of the crops is compiled, too. Validation and test are short and see images of other shapes,
    so they run as they are written; checkpoints are those of the same training without this callback, up to rounding.

    Args:
        backend: A backend of ``torch.compile``.

    Raises:
        ValueError: If a training begins on XLA, which compiles each step itself, or ``torch.compile`` does not work
            on this machine.
    """

    def __init__(self, backend: str = "inductor") -> None:
        self.backend = backend

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        device = trainer.strategy.root_device
        if device.type == "xla":
            raise ValueError("callbacks.CompileNetwork is for CPUs and GPUs; XLA compiles each step itself.")
        try:
            torch.compile(torch.sin, backend=self.backend)(torch.ones(1, device=device))
        except Exception as error:  # the errors of the compilers have no class in common
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise ValueError(
                f"torch.compile does not work here, so that callbacks.CompileNetwork cannot be used: {reason} On a "
                "CPU it needs a C++ compiler, such as g++."
            ) from error
        network: Any = pl_module.network
        network.compile(backend=self.backend, dynamic=False)
        torch.compiler.set_stance("force_eager")
        if is_first():
            log.info("the network is compiled in the first step, which takes a minute or more")

    @override
    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        torch.compiler.set_stance("default")

    @override
    def on_train_batch_end(self, *args: Any) -> None:
        torch.compiler.set_stance("force_eager")

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self.teardown(trainer, pl_module, "fit")  # Lightning calls it only after a training that has not failed

    @override
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        torch.compiler.set_stance("default")
        network: Any = pl_module.network
        network._compiled_call_impl = None  # as PyTorch itself does when it copies a module
