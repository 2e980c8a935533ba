"""Keras' conventions in the study's networks: initial weights, the constants of batch normalisation, padding."""

from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.checks import require

# How a layer with stride 2 pads: "symmetric" pads both sides equally, as PyTorch does; "keras" pads one row and column
# more below and on the right than above and on the left, as TensorFlow does.
Padding = Literal["symmetric", "keras"]


def initialise(network: nn.Module) -> None:
    """Initialise every convolution of a network: Glorot uniform weights (Glorot & Bengio, 2010) and zero biases."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation with eps 1e-3 and Keras' momentum of 0.99, which is 0.01 in PyTorch's definition."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def halving_conv(inputs: int, outputs: int, kernel: int, padding: Padding) -> nn.Conv2d:
    """A convolution with stride 2 and an odd kernel: (B, inputs, H, W) to (B, outputs, H/2, W/2), H and W even.

    Raises:
        ValueError: If ``padding`` is not one of :data:`Padding`.
    """
    require.one_of("padding", padding, get_args(Padding))
    if padding == "keras":
        return _KerasConv(inputs, outputs, kernel, stride=2, padding=kernel // 2 - 1)
    return nn.Conv2d(inputs, outputs, kernel, stride=2, padding=kernel // 2)


def doubling_conv(inputs: int, outputs: int, kernel: int, padding: Padding) -> nn.ConvTranspose2d:
    """A transposed convolution with stride 2 and an odd kernel: (B, inputs, H, W) to (B, outputs, 2 H, 2 W).

    Raises:
        ValueError: If ``padding`` is not one of :data:`Padding`.
    """
    require.one_of("padding", padding, get_args(Padding))
    if padding == "keras":
        return _KerasConvTranspose(inputs, outputs, kernel, stride=2, padding=kernel // 2 - 1)
    return nn.ConvTranspose2d(inputs, outputs, kernel, stride=2, padding=kernel // 2, output_padding=1)


class _KerasConv(nn.Conv2d):
    """Pads one row more below, and one column more on the right, than its ``padding`` says."""

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(F.pad(features, (0, 1, 0, 1)))


class _KerasConvTranspose(nn.ConvTranspose2d):
    """Drops one row more below, and one column more on the right: the transpose of :class:`_KerasConv`."""

    def forward(self, features: Tensor, output_size: list[int] | None = None) -> Tensor:
        return F.pad(super().forward(features, output_size), (0, -1, 0, -1))
