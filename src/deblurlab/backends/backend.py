"""What a backend offers to the rest of deblurlab."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import nn

from deblurlab.checks import require
from deblurlab.nets.folding import fold_rows

if TYPE_CHECKING:  # networks run without Lightning, which takes seconds to import
    from lightning.pytorch import Callback

Devices = int | str | Sequence[int]


@dataclass(frozen=True, kw_only=True)
class DeviceSettings:
    """The keys of the ``trainer`` group that a backend answers for; all others are those of Lightning's Trainer.

    Attributes:
        accelerator: ``auto``, or a name that a backend serves: ``cpu``, ``gpu``, ``tpu``, ...
        devices: The number of devices, ``auto``, or a list with the indices of GPUs.
        precision: ``auto`` for bfloat16 autocast where the device is fast at it and float32 elsewhere, or one of
            Lightning's names.
        graph: What XLA compiles as a whole where a batch has several optimizer steps, as a WGAN's has: ``batch`` all
            of them, ``step`` each by itself. Nothing but XLA reads it.
        keep_memory: Whether a process that trains on the CPU keeps the memory that a step frees. See
            :func:`deblurlab.backends.host_memory.keep_freed_memory`.
        batch_norm: Over which images several devices normalise: ``global`` over those of all devices, so that a run
            computes what it does on one; ``per_core`` each over its own, and running averages are the mean over them.

    Raises:
        ValueError: If ``graph`` or ``batch_norm`` is something else, in the words of a key of ``trainer``.
    """

    accelerator: str
    devices: Devices
    precision: str | int | None
    graph: Literal["batch", "step"]
    keep_memory: bool
    batch_norm: Literal["global", "per_core"]

    def __post_init__(self) -> None:
        require.one_of("trainer.graph", self.graph, ("batch", "step"))
        require.one_of("trainer.batch_norm", self.batch_norm, ("global", "per_core"))


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a Trainer trains on a backend.

    Attributes:
        arguments: Keyword arguments of Lightning's Trainer: its accelerator, devices, precision, strategy, plugins.
        watchers: Callbacks that belong to every run on this backend.
        devices: Over how many devices this process splits each of its batches.
    """

    arguments: dict[str, Any]
    watchers: "Sequence[Callback]" = ()
    devices: int = 1


class Backend(ABC):
    """Abstract: a kind of hardware, and how networks are trained and run on it.

    Attributes:
        accelerators: The values of ``trainer.accelerator`` that this backend serves.
        folds: Whether networks are faster here with rows folded into channels (see :mod:`deblurlab.nets.folding`).
    """

    accelerators: ClassVar[frozenset[str]]
    folds: ClassVar[bool]

    @abstractmethod
    def finds(self, accelerator: str) -> bool:
        """Whether this machine has what ``accelerator``, one of :attr:`accelerators`, names."""

    def processes(self, settings: DeviceSettings) -> int:
        """How many processes a training has to start on this machine; 1 if this process trains.

        Raises:
            ValueError: If the machine has no such devices.
        """
        return 1

    @abstractmethod
    def training(self, settings: DeviceSettings) -> Training:
        """How a Trainer trains with ``settings``. It may change the process, so that a process calls it once.

        Raises:
            ValueError: If the machine has no such device, or a setting makes no sense on it.
        """

    @abstractmethod
    def device(self, accelerator: str) -> torch.device:
        """One device, for a network that runs without a Trainer.

        Raises:
            ValueError: If the machine has no such device.
        """

    def prepare(self, network: nn.Module) -> None:
        """Give a network, or those in a module, the form that is fastest here. They compute the same as before."""
        if self.folds:
            fold_rows(network)
