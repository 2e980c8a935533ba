"""NAFNet: a U-Net whose blocks have products instead of activation functions."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.nets.channel_norm import ChannelNorm
from deblurlab.nets.image_size import require_multiple
from deblurlab.nets.local_mean import extended, window_means


class _Mean(nn.Module):
    """The mean over height and width, or in evaluation over each window within the features.

    Args:
        reduction: The number of pixels of the image that one position of the features spans, in height and in width.

    Attributes:
        window: Height and width of the window in pixels of the image; None for the whole image.
    """

    def __init__(self, reduction: int) -> None:
        super().__init__()
        self.reduction = reduction
        self.window: int | None = None

    def forward(self, features: Tensor) -> Tensor:
        if self.window is None or self.training:
            return features.mean((2, 3), keepdim=True)
        return window_means(features, max(1, self.window // self.reduction))


class _ChannelAttention(nn.Sequential):
    """Simplified channel attention: the features times a 1x1 convolution of their means, (B, C, H, W) to the same.

    With a window, the convolution is applied to the means before they are extended to the borders: there are fewer.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__(_Mean(reduction), nn.Conv2d(channels, channels, 1))

    def forward(self, features: Tensor) -> Tensor:
        mean, convolution = self
        scale: Tensor = convolution(mean(features))
        if mean.window is None or self.training:
            return features * scale
        return features * extended(scale, features)


def _gate(features: Tensor) -> Tensor:
    """SimpleGate: the product of the two halves of the channels."""
    one, other = features.chunk(2, dim=1)
    return one * other


class _Block(nn.Module):
    """NAFNet's block: a depthwise convolution with channel attention, then a feed-forward part; both are residual.

    ::

        norm1 -> conv1 1x1, 2c -> conv2 3x3 depthwise -> gate, c -> sca -> conv3 1x1 -> times beta -> +
        norm2 -> conv4 1x1, 2c -> gate, c -> conv5 1x1 -> times gamma -> +

    beta and gamma, one number per channel, start at zero: an untrained block is the identity.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        double = 2 * channels
        self.conv1 = nn.Conv2d(channels, double, 1)
        self.conv2 = nn.Conv2d(double, double, 3, padding=1, groups=double)
        self.conv3 = nn.Conv2d(channels, channels, 1)
        self.sca = _ChannelAttention(channels, reduction)
        self.conv4 = nn.Conv2d(channels, double, 1)
        self.conv5 = nn.Conv2d(channels, channels, 1)
        self.norm1, self.norm2 = ChannelNorm(channels, eps=1e-6), ChannelNorm(channels, eps=1e-6)
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        hidden = _gate(self.conv2(self.conv1(self.norm1(features))))
        features = torch.addcmul(features, self.conv3(self.sca(hidden)), self.beta)
        hidden = _gate(self.conv4(self.norm2(features)))
        return torch.addcmul(features, self.conv5(hidden), self.gamma)


class NAFNet(nn.Module):
    """Nonlinear activation free network (Chen et al., 2022), with the published names of its parameters.

    Each level has a chain of blocks on the way down, and one on the way up. Here with two levels::

        blurred -> intro -> encoders.0 -----------------> + -> decoders.0 -> ending -> + blurred     H x W
                              | downs.0           ups.0   |
                            encoders.1 ---------> + -> decoders.1                                   H/2 x W/2
                              | downs.1    ups    |
                              +---> middle_blks --+                                                 H/4 x W/4

    Going down, a 2x2 convolution with stride 2 halves height and width and doubles the channels. Going up, a 1x1
    convolution and a pixel shuffle undo that; the features of the same level on the way down are added.

    The authors' networks for GOPRO have widths of 32 and 64 and the blocks [1, 1, 1, 28], 1, [1, 1, 1, 1]; those for
    SIDD [2, 2, 4, 8], 12, [2, 2, 2, 2].

    Args:
        width: The number of channels at full resolution; the authors take 32 or 64.
        encoder_blocks: The number of blocks of each level on the way down, starting at full resolution.
        middle_blocks: The number of blocks below the last level.
        decoder_blocks: The number of blocks of each level on the way up, from the lowest level to full resolution: as
            many levels as on the way down.
        window: The side, in pixels of the image, of the window over which the channel attention takes its means in
            evaluation (test-time local converter, Chu et al., 2022). The authors use 1.5 times the side of the training
            patches. None takes the mean over the whole image, as in training.
        unshuffle: The factor of a pixel unshuffle before the first convolution, which a pixel shuffle after the last
            one undoes. The authors use 1, which changes nothing; with 2, the same width costs a quarter.

    Raises:
        ValueError: If the numbers of levels on the way down and up differ, or a number is out of its range.

    Shape: (B, 3, H, W) in [0, 1] to (B, 3, H, W) in (-inf, inf). H and W must be multiples of
    ``unshuffle * 2**levels``; ValueError otherwise.
    """

    def __init__(
        self,
        *,
        width: int,
        encoder_blocks: Sequence[int],
        middle_blocks: int,
        decoder_blocks: Sequence[int],
        window: int | None = None,
        unshuffle: int = 1,
    ) -> None:
        super().__init__()
        levels = len(encoder_blocks)
        if levels != len(decoder_blocks):
            raise ValueError(
                f"model.network.encoder_blocks={list(encoder_blocks)} has {levels} levels and "
                f"decoder_blocks={list(decoder_blocks)} has {len(decoder_blocks)}: NAFNet goes up as often as down."
            )
        if width < 1 or min([middle_blocks, *encoder_blocks, *decoder_blocks]) < 0:
            raise ValueError(f"NAFNet needs a width of at least 1 and no negative number of blocks, got width={width}.")
        if unshuffle < 1:
            raise ValueError(f"model.network.unshuffle of NAFNet is at least 1, got {unshuffle}.")
        self.unshuffle = unshuffle
        self.size_multiple = unshuffle * 2**levels

        def chain(count: int, level: int) -> nn.Sequential:
            return nn.Sequential(*(_Block(width * 2**level, unshuffle * 2**level) for _ in range(count)))

        def up(channels: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(channels, 2 * channels, 1, bias=False), nn.PixelShuffle(2))

        self.intro = nn.Conv2d(3 * unshuffle**2, width, 3, padding=1)
        self.ending = nn.Conv2d(width, 3 * unshuffle**2, 3, padding=1)
        self.encoders = nn.ModuleList(chain(count, level) for level, count in enumerate(encoder_blocks))
        self.decoders = nn.ModuleList(chain(count, levels - 1 - step) for step, count in enumerate(decoder_blocks))
        self.middle_blks = chain(middle_blocks, levels)
        self.ups = nn.ModuleList(up(width * 2**level) for level in range(levels, 0, -1))
        self.downs = nn.ModuleList(nn.Conv2d(width * 2**i, width * 2 ** (i + 1), 2, stride=2) for i in range(levels))
        self.window = window

    @property
    def window(self) -> int | None:
        """The side of the window of the local means, in pixels; see the class."""
        return self._window

    @window.setter
    def window(self, window: int | None) -> None:
        if window is not None and window < 1:
            raise ValueError(f"the window of NAFNet's local means is at least 1 pixel, got {window}.")
        self._window = window
        for module in self.modules():
            if isinstance(module, _Mean):
                module.window = window

    def forward(self, blurred: Tensor) -> Tensor:
        require_multiple(blurred, self.size_multiple, "NAFNet")
        features = self.intro(F.pixel_unshuffle(blurred, self.unshuffle))
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            features = encoder(features)
            skips.append(features)
            features = down(features)
        features = self.middle_blks(features)
        for decoder, up in zip(self.decoders, self.ups, strict=True):
            features = decoder(up(features) + skips.pop())
        restored: Tensor = blurred + F.pixel_shuffle(self.ending(features), self.unshuffle)
        return restored
