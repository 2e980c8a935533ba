"""REDNet30: thirty convolutions at full resolution, with symmetric skip connections."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets import keras

_WIDTH, _DEPTH = 64, 15


class _Block(nn.Module):
    """A 3x3 convolution, plus a skip connection if there is one; then the activation, then batch normalisation."""

    def __init__(self, inputs: int, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.activation = activation
        self.conv = nn.Conv2d(inputs, _WIDTH, 3, padding=1)
        self.norm = keras.batch_norm(_WIDTH)

    def forward(self, features: Tensor, skip: Tensor | None = None) -> Tensor:
        hidden = self.conv(features)
        if skip is not None:
            hidden = hidden + skip
        normalised: Tensor = self.norm(self.activation(hidden))
        return normalised


class REDNet30(nn.Module):
    """Residual encoder-decoder (Mao et al., 2016) in which every convolution works at full resolution.

    The encoder has fifteen blocks of 64 channels, and so has the decoder. Every second block of the decoder adds the
    output of the mirrored block of the encoder, before its activation. In the drawing ``|`` is such a skip connection,
    and ``v`` leads from the encoder to the decoder::

        encoder   0 -> 1 -> 2 -> 3 -> ... -> 11 -> 12 -> 13 -> 14
                       |         |            |           |     v
        decoder  14 <- 13 <- 12 <- 11 <- ... <- 3 <- 2 <- 1 <-- 0

    A 1x1 convolution then reduces the 64 channels to three; the blurred image is added, and an ELU gives the output.
    It has 1,076,739 parameters.

    Args:
        tanh: Build the generator of the study's REDNet30WGAN: ReLU instead of ELU in the blocks, and tanh at the
            output. Inside, its images are in [-1, 1].

    Shape: (B, 3, H, W) in [0, 1] to (B, 3, H, W) in (-1, inf), or in (0, 1) if ``tanh``. Any H and W.
    """

    size_multiple = 1

    def __init__(self, *, tanh: bool = False) -> None:
        super().__init__()
        self.tanh = tanh
        activation = F.relu if tanh else F.elu
        self.encoder = nn.ModuleList(_Block(_WIDTH if i else 3, activation) for i in range(_DEPTH))
        self.decoder = nn.ModuleList(_Block(_WIDTH, activation) for _ in range(_DEPTH))
        self.output = nn.Conv2d(_WIDTH, 3, 1)
        keras.initialise(self)

    def forward(self, blurred: Tensor) -> Tensor:
        image = 2 * blurred - 1 if self.tanh else blurred
        features, encoded = image, {}
        for i, block in enumerate(self.encoder):
            features = block(features)
            if i % 2:  # the decoder adds these only; the others need not be kept in memory
                encoded[i] = features
        for i, block in enumerate(self.decoder):
            skip = encoded[_DEPTH - 1 - i] if i % 2 else None
            features = block(features, skip)
        restored = self.output(features) + image
        return (torch.tanh(restored) + 1) / 2 if self.tanh else F.elu(restored)
