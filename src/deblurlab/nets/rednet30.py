"""REDNet30: thirty full-resolution convolutions with symmetric skips."""

from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets.blocks import batch_norm, keras_init


class _Block(nn.Module):
    """3x3 convolution, plus an optional skip, then ELU, then batch normalisation."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = batch_norm(outputs)

    def forward(self, features: Tensor, skip: Tensor | None = None) -> Tensor:
        hidden = self.conv(features)
        if skip is not None:
            hidden = hidden + skip
        normalised: Tensor = self.norm(F.elu(hidden))
        return normalised


class REDNet30(nn.Module):
    """Residual encoder-decoder (Mao et al., 2016) without a bottleneck.

    Fifteen encoder and fifteen decoder blocks, 64 channels wide. Decoder block i, for odd i, adds the
    output of encoder block 14 - i. A 1x1 convolution plus the blurred image, then ELU, gives the output.

    Shape: (B, 3, H, W) to (B, 3, H, W), any H and W, values in (-1, inf).
    """

    size_multiple = 1

    def __init__(self) -> None:
        super().__init__()
        width, depth = 64, 15
        self.encoder = nn.ModuleList(_Block(width if i else 3, width) for i in range(depth))
        self.decoder = nn.ModuleList(_Block(width, width) for _ in range(depth))
        self.output = nn.Conv2d(width, 3, 1)
        keras_init(self)

    def forward(self, blurred: Tensor) -> Tensor:
        features = blurred
        encoded: list[Tensor] = []
        for block in self.encoder:
            features = block(features)
            encoded.append(features)
        last = len(encoded) - 1
        for i, block in enumerate(self.decoder):
            features = block(features, encoded[last - i] if i % 2 else None)
        return F.elu(self.output(features) + blurred)
