"""ResNet16: a residual autoencoder with a bottleneck at an eighth of the resolution."""

from itertools import pairwise

from torch import Tensor, nn

from deblurlab.nets.blocks import batch_norm, keras_init, require_multiple
from deblurlab.nets.folding.batch_norm import normalise
from deblurlab.nets.folding.rows import Features, add, convolve, convolve_transposed, fold, pays, relu, unfold


class _Down(nn.Module):
    """Two 3x3 convolutions, the first strided, beside a strided 1x1 shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
        self.norm1 = batch_norm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.norm2 = batch_norm(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride)

    def forward(self, features: Features) -> Features:
        hidden = relu(normalise(convolve(features, self.conv1), self.norm1))
        hidden = relu(normalise(convolve(hidden, self.conv2), self.norm2))
        return add(hidden, convolve(features, self.shortcut))


class _Up(nn.Module):
    """Two 3x3 transposed convolutions, the second with stride 2, beside a strided 1x1 shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.ConvTranspose2d(inputs, outputs, 3, padding=1)
        self.norm1 = batch_norm(outputs)
        self.conv2 = nn.ConvTranspose2d(outputs, outputs, 3, stride=2, padding=1, output_padding=1)
        self.norm2 = batch_norm(outputs)
        self.shortcut = nn.ConvTranspose2d(inputs, outputs, 1, stride=2, output_padding=1)

    def forward(self, features: Features) -> Features:
        hidden = relu(normalise(convolve_transposed(features, self.conv1), self.norm1))
        hidden = relu(normalise(convolve_transposed(hidden, self.conv2), self.norm2))
        return add(hidden, convolve_transposed(features, self.shortcut))


class _Output(nn.Module):
    """A 1x1 transposed convolution to three channels beside a 1x1 shortcut."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, 3, 1)
        self.norm = batch_norm(3)
        self.shortcut = nn.ConvTranspose2d(inputs, 3, 1)

    def forward(self, features: Features) -> Features:
        hidden = relu(normalise(convolve_transposed(features, self.conv), self.norm))
        return add(hidden, convolve_transposed(features, self.shortcut))


class ResNet16(nn.Module):
    """Residual encoder and decoder (after He et al., 2016) without skips between the two.

    Four encoder blocks (64, 128, 256, 512 channels, the last three with stride 2), three decoder blocks
    back to 64 and full resolution, and a 1x1 output block.

    Shape: (B, 3, H, W) to (B, 3, H, W). H and W must be multiples of 8; ValueError otherwise.
    """

    size_multiple = 8

    def __init__(self) -> None:
        super().__init__()
        widths = (64, 128, 256, 512)
        self.encoder = nn.Sequential(_Down(3, widths[0], 1), *(_Down(i, o, 2) for i, o in pairwise(widths)))
        self.decoder = nn.Sequential(*(_Up(i, o) for i, o in pairwise(reversed(widths))), _Output(widths[0]))
        keras_init(self)

    def forward(self, blurred: Tensor) -> Tensor:
        require_multiple(blurred, self.size_multiple, "ResNet16")
        features: Features = fold(blurred, 2) if pays(blurred, 2) else blurred
        return unfold(self.decoder(self.encoder(features)))
