"""The critic of both WGANs."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets.blocks import keras_init


class _ChannelNorm(nn.LayerNorm):
    """Layer normalisation (Ba et al., 2016) over the channels of each position, with Keras' eps."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-3)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features.movedim(1, -1)).movedim(-1, 1)


def _conv(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """A 4x4 convolution, padded as TensorFlow pads 'same': with stride 1, three rows in all, two of them below.

    The convolution pads what is alike on all sides: it does not multiply those zeros.
    """
    below = nn.ZeroPad2d((0, 1, 0, 1)) if stride == 1 else nn.Identity()
    return nn.Sequential(below, nn.Conv2d(inputs, outputs, 4, stride=stride, padding=1))


class PatchGAN(nn.Module):
    """PatchGAN discriminator (Isola et al., 2017) as a Wasserstein critic.

    Five 4x4 convolutions, the first three with stride 2; layer normalisation and LeakyReLU(0.3) after the first
    four. Each position of the last map scores a patch; their mean is the image's score. No normalisation mixes
    images, as the gradient penalty requires.

    Shape: (B, 3, H, W), H and W at least 8, to (B,), unbounded.
    """

    def __init__(self) -> None:
        super().__init__()
        widths, strides = (3, 64, 128, 256, 512), (2, 2, 2, 1)
        self.convs = nn.ModuleList(_conv(*io, stride) for io, stride in zip(pairwise(widths), strides, strict=True))
        self.norms = nn.ModuleList(_ChannelNorm(width) for width in widths[1:])
        self.output = _conv(widths[-1], 1, 1)
        keras_init(self)

    def forward(self, images: Tensor) -> Tensor:
        features = images
        for conv, norm in zip(self.convs, self.norms, strict=True):
            features = F.leaky_relu(norm(conv(features)), 0.3)
        scores: Tensor = self.output(features)
        return scores.flatten(1).mean(dim=1)
