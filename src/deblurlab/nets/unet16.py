"""UNet16: four levels, 16 channels at the top."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets.blocks import keras_init, require_multiple


def _double_conv(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )


class UNet16(nn.Module):
    """U-Net (Ronneberger et al., 2015) with a quarter of its widths and a ReLU at the output.

    Each level has two 3x3 convolutions with ReLU. Going down, 2x2 max pooling halves the image; going up,
    a 2x2 transposed convolution with stride 2 and ReLU doubles it and joins the level's skip connection.

    Shape: (B, 3, H, W) to (B, 3, H, W), values in [0, inf). With four widths, H and W must be multiples
    of 8; ValueError otherwise.
    """

    def __init__(self, *, widths: Sequence[int] = (16, 32, 64, 128)) -> None:
        super().__init__()
        self.size_multiple = 2 ** (len(widths) - 1)
        self.encoder = nn.ModuleList(_double_conv(i, o) for i, o in pairwise((3, *widths)))
        upwards = list(pairwise(reversed(widths)))
        self.upsample = nn.ModuleList(nn.ConvTranspose2d(i, o, 2, stride=2) for i, o in upwards)
        self.decoder = nn.ModuleList(_double_conv(2 * o, o) for _, o in upwards)
        self.output = nn.Conv2d(widths[0], 3, 1)
        keras_init(self)

    def forward(self, blurred: Tensor) -> Tensor:
        require_multiple(blurred, self.size_multiple, "UNet16")
        skips: list[Tensor] = []
        features = blurred
        for level, encode in enumerate(self.encoder):
            features = encode(F.max_pool2d(features, 2) if level else features)
            skips.append(features)
        skips.pop()
        for upsample, decode in zip(self.upsample, self.decoder, strict=True):
            features = decode(torch.cat((skips.pop(), F.relu(upsample(features))), dim=1))
        return F.relu(self.output(features))
