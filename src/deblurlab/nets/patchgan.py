"""PatchGAN: the critic of both WGANs."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets import keras
from deblurlab.nets.channel_norm import ChannelNorm


def _conv(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """A 4x4 convolution with TensorFlow's padding "same".

    With stride 2 that is one row or column on each side; with stride 1 it is one above and two below, one on the left
    and two on the right. The convolution itself pads one on each side, because oneDNN does not multiply these zeros.
    """
    below = nn.ZeroPad2d((0, 1, 0, 1)) if stride == 1 else nn.Identity()
    return nn.Sequential(below, nn.Conv2d(inputs, outputs, 4, stride=stride, padding=1))


class PatchGAN(nn.Module):
    """PatchGAN discriminator (Isola et al., 2017) as a Wasserstein critic.

    Five 4x4 convolutions; layer normalisation and LeakyReLU(0.3) follow the first four::

        image -> 64 -> 128 -> 256 -> 512 -> 1 -> mean -> score
        1/1      1/2   1/4    1/8    1/8    1/8

    The fractions are heights and widths. Each position of the last map scores a patch of the image; their mean is the
    score of the image. No normalisation mixes images, as the gradient penalty requires. 2,766,657 parameters.

    Shape: (B, 3, H, W) in [-1, 1], H and W at least 8, to (B,) in (-inf, inf).
    """

    def __init__(self) -> None:
        super().__init__()
        widths, strides = (3, 64, 128, 256, 512), (2, 2, 2, 1)
        self.convs = nn.ModuleList(_conv(*io, stride) for io, stride in zip(pairwise(widths), strides, strict=True))
        self.norms = nn.ModuleList(ChannelNorm(width, eps=1e-3) for width in widths[1:])  # Keras' eps
        self.output = _conv(widths[-1], 1, 1)
        keras.initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        features = images
        for conv, norm in zip(self.convs, self.norms, strict=True):
            features = F.leaky_relu(norm(conv(features)), 0.3)
        scores: Tensor = self.output(features)
        return scores.flatten(1).mean(dim=1)
