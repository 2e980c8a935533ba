"""UNet16: a U-Net of four levels, with 16 channels at the top."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets import keras
from deblurlab.nets.image_size import require_multiple


def _double_conv(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(),
    )


class UNet16(nn.Module):
    """U-Net (Ronneberger et al., 2015) with a quarter of its channels, and a ReLU at the output.

    Each level has two 3x3 convolutions with ReLU on the way down, and two on the way up::

        blurred -> 16 ------------------------> 16 -> 1x1 -> restored      H x W
                    |  pool           upsample  |
                   32 ------------------------> 32                         H/2 x W/2
                    |                           |
                   64 ------------------------> 64                         H/4 x W/4
                    |                           |
                    +---------> 128 ------------+                          H/8 x W/8

    Going down, 2x2 max pooling halves height and width. Going up, a 2x2 transposed convolution with stride 2 and a ReLU
    doubles them; its result is concatenated with the features of the same level on the way down, the skip connection
    (the horizontal lines). It has 482,067 parameters.

    Args:
        widths: The number of channels of each level, from full resolution down.
        residual: Add the blurred image to the output, instead of the last ReLU. The last convolution starts with zero
            weights, so that the untrained network returns the blurred image and learns the difference.

    Shape: (B, 3, H, W) in [0, 1] to (B, 3, H, W) in [0, inf), or in (-inf, inf) if ``residual``. With four widths,
    H and W must be multiples of 8; ValueError otherwise.
    """

    def __init__(self, *, widths: Sequence[int] = (16, 32, 64, 128), residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        self.size_multiple = 2 ** (len(widths) - 1)
        upwards = list(pairwise(reversed(widths)))
        self.encoder = nn.ModuleList(_double_conv(i, o) for i, o in pairwise((3, *widths)))
        self.upsample = nn.ModuleList(nn.ConvTranspose2d(i, o, 2, stride=2) for i, o in upwards)
        self.decoder = nn.ModuleList(_double_conv(2 * o, o) for _, o in upwards)
        self.output = nn.Conv2d(widths[0], 3, 1)
        keras.initialise(self)
        if residual:
            nn.init.zeros_(self.output.weight)

    def forward(self, blurred: Tensor) -> Tensor:
        require_multiple(blurred, self.size_multiple, "UNet16")
        top, *lower = self.encoder
        features = top(blurred)
        skips = []
        for level in lower:
            skips.append(features)
            features = level(F.max_pool2d(features, 2))
        for upsample, level in zip(self.upsample, self.decoder, strict=True):
            enlarged = F.relu(upsample(features))
            features = level(torch.cat((skips.pop(), enlarged), dim=1))
        output: Tensor = self.output(features)
        return blurred + output if self.residual else F.relu(output)
