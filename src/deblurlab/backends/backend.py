"""The interface of a backend."""

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
    """The keys of the ``trainer`` group for the backend; all others are arguments of Lightning's Trainer.

    Attributes:
        accelerator: ``auto``, or a name that a backend serves: ``cpu``, ``gpu``, ``tpu``, ...
        devices: The number of devices, ``auto``, or a list with the indices of GPUs.
        precision: ``auto`` for bfloat16 autocast where the device is fast at it and float32 elsewhere, or one of
            Lightning's names.
        graph: The unit that XLA compiles if a batch has several optimizer steps, as for a WGAN: ``batch`` compiles all
            of them as one graph, ``step`` each separately. Only XLA uses it.
        float32: How exactly a TPU multiplies matrices and convolves in float32. Its matrix unit takes bfloat16:
            ``highest`` adds up six products of bfloat16, and ``high`` three, in half of the time. The words are those
            of ``torch.set_float32_matmul_precision``. Only XLA uses it.
        keep_memory: Whether a process that trains on the CPU keeps the memory that a step frees. See
            :func:`deblurlab.backends.host_memory.keep_freed_memory`.
        batch_norm: The images over which several devices normalise: ``global`` those of all devices, as on a single
            device; ``per_core`` each device its own, and the running statistics are averaged over the devices.

    Raises:
        ValueError: If ``graph``, ``float32`` or ``batch_norm`` has another value.
    """

    accelerator: str
    devices: Devices
    precision: str | int | None
    graph: Literal["batch", "step"]
    float32: Literal["highest", "high"]
    keep_memory: bool
    batch_norm: Literal["global", "per_core"]

    def __post_init__(self) -> None:
        require.one_of("trainer.graph", self.graph, ("batch", "step"))
        require.one_of("trainer.float32", self.float32, ("highest", "high"))
        require.one_of("trainer.batch_norm", self.batch_norm, ("global", "per_core"))


@dataclass(frozen=True, kw_only=True)
class Training:
    """The settings of a Trainer on a backend.

    Attributes:
        arguments: Keyword arguments of Lightning's Trainer: accelerator, devices, precision, strategy, plugins.
        callbacks: Callbacks that every run on this backend needs.
        devices: The number of devices over which this process splits each of its batches.
    """

    arguments: dict[str, Any]
    callbacks: "Sequence[Callback]" = ()
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
        """Whether this machine has the hardware of ``accelerator``, one of :attr:`accelerators`."""

    def processes(self, settings: DeviceSettings) -> int:
        """The number of processes that a training has to start on this machine; 1 if this process trains itself.

        Raises:
            ValueError: If the machine has no such devices.
        """
        return 1

    @abstractmethod
    def training(self, settings: DeviceSettings) -> Training:
        """Set up this process, and return the Trainer's settings for ``settings``. A process calls it only once.

        Raises:
            ValueError: If the machine has no such device, or a setting is invalid for it.
        """

    @abstractmethod
    def device(self, accelerator: str) -> torch.device:
        """One device, for a network that runs without a Trainer.

        Raises:
            ValueError: If the machine has no such device.
        """

    def prepare(self, network: nn.Module) -> None:
        """Convert a network, or those in a module, to the form that is fastest here. They still compute the same."""
        if self.folds:
            fold_rows(network)
