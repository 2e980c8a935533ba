"""ResNet16: a residual autoencoder with a bottleneck at an eighth of the resolution."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets import keras
from deblurlab.nets.image_size import require_multiple

_WIDTHS = (64, 128, 256, 512)


class _Down(nn.Module):
    """Two 3x3 convolutions, the first of them with a stride, plus a 1x1 shortcut with the same stride."""

    def __init__(self, inputs: int, outputs: int, stride: int, padding: keras.Padding) -> None:
        super().__init__()
        if stride == 1:
            self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        else:
            self.conv1 = keras.halving_conv(inputs, outputs, 3, padding)
        self.norm1 = keras.batch_norm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.norm2 = keras.batch_norm(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride)

    def forward(self, features: Tensor) -> Tensor:
        hidden = F.relu(self.norm1(self.conv1(features)))
        hidden = F.relu(self.norm2(self.conv2(hidden)))
        shortcut: Tensor = self.shortcut(features)
        return hidden + shortcut


class _Up(nn.Module):
    """Two 3x3 transposed convolutions, the second of them with stride 2, plus a 1x1 shortcut with stride 2."""

    def __init__(self, inputs: int, outputs: int, padding: keras.Padding) -> None:
        super().__init__()
        self.conv1 = nn.ConvTranspose2d(inputs, outputs, 3, padding=1)
        self.norm1 = keras.batch_norm(outputs)
        self.conv2 = keras.doubling_conv(outputs, outputs, 3, padding)
        self.norm2 = keras.batch_norm(outputs)
        self.shortcut = nn.ConvTranspose2d(inputs, outputs, 1, stride=2, output_padding=1)

    def forward(self, features: Tensor) -> Tensor:
        hidden = F.relu(self.norm1(self.conv1(features)))
        hidden = F.relu(self.norm2(self.conv2(hidden)))
        shortcut: Tensor = self.shortcut(features)
        return hidden + shortcut


class _Output(nn.Module):
    """A 1x1 transposed convolution to three channels, plus a 1x1 shortcut."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, 3, 1)
        self.norm = keras.batch_norm(3)
        self.shortcut = nn.ConvTranspose2d(inputs, 3, 1)

    def forward(self, features: Tensor) -> Tensor:
        shortcut: Tensor = self.shortcut(features)
        return F.relu(self.norm(self.conv(features))) + shortcut


class ResNet16(nn.Module):
    """Residual encoder and decoder (after He et al., 2016), without skip connections between the two.

    Each block has its own shortcut, a 1x1 convolution whose result is added to the block's::

        blurred -> 64 -> 128 -> 256 -> 512 -> 256 -> 128 -> 64 -> output -> restored
        1/1        1/1   1/2    1/4    1/8    1/4    1/2    1/1             1/1

    The fractions are heights and widths; a stride of 2 halves them in the encoder's last three blocks, and doubles them
    in the decoder's three. It has 7,360,396 parameters.

    Args:
        padding: How the 3x3 convolutions with stride 2, transposed or not, pad: "symmetric" equally on both sides, or
            "keras" on one side only, as the study's do. Weights that were trained with one fit the other badly.

    Shape: (B, 3, H, W) in [0, 1] to (B, 3, H, W) in (-inf, inf). H and W must be multiples of 8; ValueError otherwise.
    """

    size_multiple = 8

    def __init__(self, *, padding: keras.Padding = "symmetric") -> None:
        super().__init__()
        top = _WIDTHS[0]
        down = (_Down(inputs, outputs, 2, padding) for inputs, outputs in pairwise(_WIDTHS))
        up = (_Up(inputs, outputs, padding) for inputs, outputs in pairwise(reversed(_WIDTHS)))
        self.encoder = nn.Sequential(_Down(3, top, 1, padding), *down)
        self.decoder = nn.Sequential(*up, _Output(top))
        keras.initialise(self)

    def forward(self, blurred: Tensor) -> Tensor:
        require_multiple(blurred, self.size_multiple, "ResNet16")
        restored: Tensor = self.decoder(self.encoder(blurred))
        return restored
