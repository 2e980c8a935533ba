"""The networks that are folded, with their number of rows per block."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from torch import Tensor, nn

# Imported so that their functions register themselves:
from deblurlab.nets.folding import batch_norm, convolution, elementwise, transposed_convolution  # noqa: F401
from deblurlab.nets.folding.folded import Folded, fold, unfold
from deblurlab.nets.msdeblur import Branch
from deblurlab.nets.rednet30 import REDNet30
from deblurlab.nets.resnet16 import ResNet16
from deblurlab.nets.unet16 import UNet16

# The number of image rows per block, a power of two. REDNet30, ResNet16 and each branch of MSDeblur have 64 channels at
# full resolution, so that two rows fill the matrix unit of a TPU. UNet16 has 16 channels there and twice as many at
# each level below: with eight rows at the top and one at the bottom, each of its four levels fills the unit. A network
# in this table must use functions and layers of PyTorch and the operators that Folded has, not the methods of a Tensor.
_ROWS: dict[type[nn.Module], Callable[[Any], int]] = {
    Branch: lambda network: 2,
    REDNet30: lambda network: 2,
    ResNet16: lambda network: 2,
    UNet16: lambda network: int(network.size_multiple),
}

_folding = ContextVar("_folding", default=True)


def fold_rows(module: nn.Module) -> None:
    """Make the networks in ``module`` fold their input images from now on.

    Results, gradients and weights stay the same except for rounding. Images whose height is not a multiple of the
    number of rows are not folded. Networks that are not in the table stay unchanged.

    Args:
        module: A network, or a module that contains networks.
    """
    for network in module.modules():
        if type(network) in _ROWS:  # not subclasses, whose forward may differ
            network.register_forward_pre_hook(partial(_fold, _ROWS[type(network)](network)))
            network.register_forward_hook(_unfold)


@contextmanager
def without_folding() -> Iterator[None]:
    """Let networks run as they are written, also those that :func:`fold_rows` has made to fold.

    A folded kernel holds zeros, which would count as operations, and on a CPU it is slower.
    """
    token = _folding.set(False)
    try:
        yield
    finally:
        _folding.reset(token)


def _fold(rows: int, network: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    (images,) = inputs
    foldable = _folding.get() and isinstance(images, Tensor) and images.shape[-2] % rows == 0
    return (fold(images, rows),) if foldable else inputs


def _unfold(network: nn.Module, inputs: tuple[Any, ...], restored: Any) -> Any:
    return unfold(restored) if isinstance(restored, Folded) else restored
