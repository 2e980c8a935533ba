"""UNet16: four levels, 16 channels at the top."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets.blocks import keras_init, require_multiple
from deblurlab.nets.folding.rows import (
    Features,
    concatenate,
    convolve,
    convolve_transposed,
    fold,
    max_pool,
    pays,
    relu,
    unfold,
)


def _twice(features: Features, convolutions: nn.Module) -> Features:
    """A level's convolutions, each with its ReLU."""
    for conv in convolutions.children():
        if isinstance(conv, nn.Conv2d):
            features = relu(convolve(features, conv))
    return features


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

    Args:
        widths: channels of each level, from full resolution down.
        residual: add the blurred image to the output in place of the last ReLU. The network starts as the
            identity, so that it never has to learn to draw the picture itself; values are in (-inf, inf).

    Shape: (B, 3, H, W) to (B, 3, H, W), values in [0, inf). With four widths, H and W must be multiples
    of 8; ValueError otherwise.
    """

    def __init__(self, *, widths: Sequence[int] = (16, 32, 64, 128), residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        self.size_multiple = 2 ** (len(widths) - 1)
        self.encoder = nn.ModuleList(_double_conv(i, o) for i, o in pairwise((3, *widths)))
        upwards = list(pairwise(reversed(widths)))
        self.upsample = nn.ModuleList(nn.ConvTranspose2d(i, o, 2, stride=2) for i, o in upwards)
        self.decoder = nn.ModuleList(_double_conv(2 * o, o) for _, o in upwards)
        self.output = nn.Conv2d(widths[0], 3, 1)
        keras_init(self)
        if residual:
            nn.init.zeros_(self.output.weight)

    def forward(self, blurred: Tensor) -> Tensor:
        require_multiple(blurred, self.size_multiple, "UNet16")
        rows = self.size_multiple  # in a block at the top, one at the bottom: each level is as wide
        features: Features = fold(blurred, rows) if pays(blurred, rows) else blurred
        skips: list[Features] = []
        for level, convolutions in enumerate(self.encoder):
            features = _twice(max_pool(features) if level else features, convolutions)
            skips.append(features)
        skips.pop()
        for transposed, convolutions in zip(self.upsample, self.decoder, strict=True):
            assert isinstance(transposed, nn.ConvTranspose2d)
            features = _twice(concatenate(skips.pop(), relu(convolve_transposed(features, transposed))), convolutions)
        output = unfold(convolve(features, self.output))
        return blurred + output if self.residual else F.relu(output)
