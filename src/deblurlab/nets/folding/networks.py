"""Which networks are folded, and by how many rows."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

# Imported so that their functions register themselves:
from deblurlab.nets.folding import batch_norm, convolution, elementwise, transposed_convolution  # noqa: F401
from deblurlab.nets.folding.folded import Folded, fold, unfold
from deblurlab.nets.rednet30 import REDNet30
from deblurlab.nets.resnet16 import ResNet16
from deblurlab.nets.unet16 import UNet16

# How many rows of a network's images make a block, a power of two. REDNet30 and ResNet16 have 64 channels at full
# resolution, so that two rows fill a TPU. UNet16 has 16 there and twice as many at each level below: with eight rows
# at the top and one at the bottom, each of its four levels fills a TPU. A network of this table must use functions and
# layers of PyTorch and the operators that Folded has, not the methods of a Tensor.
_ROWS: dict[type[nn.Module], Callable[[Any], int]] = {
    REDNet30: lambda network: 2,
    ResNet16: lambda network: 2,
    UNet16: lambda network: int(network.size_multiple),
}


def fold_rows(module: nn.Module) -> None:
    """Have the networks in ``module`` fold the images that they are given, from now on.

    Their results, gradients and weights stay the same but for rounding. Images whose height is no multiple of the
    number of rows are not folded. Networks that are not known here stay as they are.

    Args:
        module: A network, or a module that contains networks.
    """
    for network in module.modules():
        if type(network) in _ROWS:  # a class derived from one of them may compute otherwise
            network.register_forward_pre_hook(partial(_fold, _ROWS[type(network)](network)))
            network.register_forward_hook(_unfold)


def _fold(rows: int, network: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    (images,) = inputs
    foldable = isinstance(images, Tensor) and images.shape[-2] % rows == 0
    return (fold(images, rows),) if foldable else inputs


def _unfold(network: nn.Module, inputs: tuple[Any, ...], restored: Any) -> Any:
    return unfold(restored) if isinstance(restored, Folded) else restored
