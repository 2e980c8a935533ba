"""REDNet30: thirty full-resolution convolutions with symmetric skips."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets.blocks import batch_norm, keras_init
from deblurlab.nets.folding.batch_norm import normalise
from deblurlab.nets.folding.rows import Features, add, convolve, fold, pays, unfold


class _Block(nn.Module):
    """3x3 convolution, plus an optional skip, then the activation, then batch normalisation."""

    def __init__(self, inputs: int, outputs: int, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.activation = activation
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = batch_norm(outputs)

    def forward(self, features: Features, skip: Features | None = None) -> Features:
        hidden = convolve(features, self.conv, like=skip)
        if skip is not None:
            hidden = add(hidden, skip)
        return normalise(hidden, self.norm, self.activation)


class REDNet30(nn.Module):
    """Residual encoder-decoder (Mao et al., 2016) without a bottleneck.

    Fifteen encoder and fifteen decoder blocks, 64 channels wide. Decoder block i, for odd i, adds the
    output of encoder block 14 - i. A 1x1 convolution plus the blurred image, then ELU, gives the output.

    Args:
        tanh: the study's generator of REDNet30WGAN: ReLU for ELU inside, tanh at the end, images in [-1, 1] there.

    Shape: (B, 3, H, W) in [0, 1] to (B, 3, H, W), any H and W, values in (-1, inf), with ``tanh`` in (0, 1).
    """

    size_multiple = 1

    def __init__(self, *, tanh: bool = False) -> None:
        super().__init__()
        self.tanh = tanh
        width, depth, activation = 64, 15, F.relu if tanh else F.elu
        self.encoder = nn.ModuleList(_Block(width if i else 3, width, activation) for i in range(depth))
        self.decoder = nn.ModuleList(_Block(width, width, activation) for _ in range(depth))
        self.output = nn.Conv2d(width, 3, 1)
        keras_init(self)

    def forward(self, blurred: Tensor) -> Tensor:
        image = 2 * blurred - 1 if self.tanh else blurred
        features: Features = fold(image, 2) if pays(image, 2) else image
        encoded: dict[int, Features] = {}  # what the decoder adds; the rest would only fill the memory
        for i, block in enumerate(self.encoder):
            features = block(features)
            if i % 2:
                encoded[i] = features
        last = len(self.encoder) - 1
        for i, block in enumerate(self.decoder):
            features = block(features, encoded[last - i] if i % 2 else None)
        restored = unfold(convolve(features, self.output)) + image
        return (torch.tanh(restored) + 1) / 2 if self.tanh else F.elu(restored)
