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
    """Train on one batch on the CPU and count the operations of convolutions and matrix products, forward and backward.

    A multiply-add counts as two. Products with zeros of padding or of folded kernels, with which a TPU fills its matrix
    units, do not count, and neither do elementwise operations.

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
    """Ends the training after its first batch."""


class FlopMode(TorchDispatchMode):
    """Counts with PyTorch's formulas, like its FlopCounterMode, which fails on the gradient in a critic's penalty."""

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
                # PyTorch's own formula ignores the groups in the gradient of a kernel
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
    """The share of a convolution's products that are not with padding.

    Args:
        taken: The shape of the input, (B, C, ...).
        given: The shape of the output, (B, C, ...).
        kernel: The shape of the weights.
        stride: The stride along each axis; likewise ``padding`` and ``dilation``.
        padding: See ``stride``.
        dilation: See ``stride``.
        transposed: Whether it is a transposed convolution.
    """
    if transposed:  # then the kernel reaches beyond the output and not beyond the input
        taken, given = given, taken
    share = 1.0
    for axis in range(len(kernel) - 2):
        size, positions, taps = taken[2 + axis], given[2 + axis], kernel[2 + axis]
        starts = [position * stride[axis] - padding[axis] for position in range(positions)]
        share *= sum(0 <= start + tap * dilation[axis] < size for start in starts for tap in range(taps))
        share /= positions * taps
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
