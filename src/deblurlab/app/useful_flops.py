"""The floating point operations that a training step needs, independent of the device."""

from contextlib import suppress
from typing import Any

import torch
from lightning.pytorch import Callback, LightningDataModule
from omegaconf import DictConfig
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import conv_flop_count, flop_registry

from deblurlab.app import build


def useful_flops(cfg: DictConfig, data: LightningDataModule) -> int:
    """Train on one batch on the CPU and count: convolutions and matrix products forward and backward, as written.

    A multiply-add counts as two. Not counted are products with the zeros of padding and with those of folded kernels,
    with which a TPU fills its matrix units, and what is computed element by element.

    Args:
        cfg: A configuration with the groups ``model`` and ``trainer``.
        data: The data module. All images of its batches have the same cost.
    """
    chosen = cfg.copy()
    chosen.trainer.accelerator, chosen.trainer.devices, chosen.trainer.precision = "cpu", 1, "32-true"
    counter = _Counter()
    with suppress(_CountedError):
        build.trainer(chosen, counter).fit(build.task(chosen), datamodule=data)
    return counter.mode.flops


class _CountedError(Exception):
    """Leaves the training after its first batch."""


class FlopMode(TorchDispatchMode):
    """Counts by PyTorch's formulas, as its FlopCounterMode, which fails where a critic asks for a gradient."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if count := flop_registry.get(func.overloadpacket):
            flops = count(*args, **(kwargs or {}), out_val=result)
            if func.overloadpacket is torch.ops.aten.convolution:
                flops *= _inside(args[0].shape, result.shape, args[1].shape, *args[3:7])
            elif func.overloadpacket is torch.ops.aten.convolution_backward:
                outputs, inputs, kernel = (one.shape for one in args[:3])
                # PyTorch's formula takes the gradient of a kernel for one of all pairs of channels, whatever the groups
                flops = conv_flop_count(outputs, kernel, inputs, not args[7]) * sum(args[10][:2])
                flops *= _inside(inputs, outputs, kernel, *args[4:8])
            self.flops += round(flops)
        return result


def _inside(
    taken: torch.Size,
    given: torch.Size,
    kernel: torch.Size,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
) -> float:
    """The share of a convolution's products that are not with padding, from the shapes of its input and its output."""
    if transposed:  # then it is the output that the kernel reaches beyond
        taken, given = given, taken
    share = 1.0
    for axis in range(len(kernel) - 2):
        size, places, reach = taken[2 + axis], given[2 + axis], kernel[2 + axis]
        starts = [place * stride[axis] - padding[axis] for place in range(places)]
        share *= sum(0 <= start + tap * dilation[axis] < size for start in starts for tap in range(reach))
        share /= places * reach
    return share


class _Counter(Callback):
    """Counts during the first batch."""

    def __init__(self) -> None:
        self.mode = FlopMode()

    def on_train_batch_start(self, *_: Any) -> None:
        self.mode.__enter__()  # type: ignore[no-untyped-call]

    def on_train_batch_end(self, *_: Any) -> None:
        self.mode.__exit__(None, None, None)  # type: ignore[no-untyped-call]
        raise _CountedError
