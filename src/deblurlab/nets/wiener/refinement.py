"""A U-Net at half resolution that corrects the remaining error of the filter."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F


class _ResBlock(nn.Module):
    """Two 3x3 convolutions with a ReLU between them, and an identity shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        change: Tensor = self.conv2(F.relu(self.conv1(features)))
        return features + change


class Refinement(nn.Module):
    """A U-Net of two levels that works on blocks of 2x2 pixels::

        images -> unshuffle -> blocks[0] ---- add ---> blocks[2] -> shuffle -> correction     H/2 x W/2
                                  | 2x2 conv   | 1x1 conv, shuffle
                                  +-> blocks[1] +                                             H/4 x W/4

    Args:
        inputs: The number of channels of the images.
        widths: The number of channels at half and at a quarter of the resolution.
        blocks: The number of residual blocks on the way down, at the bottom and on the way up.
        features: The number of features that describe the whole image; a linear layer adds them to each position.

    Shape: (B, inputs, H, W) and (B, features) to (B, 3, H, W). H and W must be multiples of 4. The untrained network
    returns zeros.
    """

    def __init__(self, *, inputs: int, widths: Sequence[int], blocks: Sequence[int], features: int) -> None:
        super().__init__()
        top, bottom = widths
        self.first = nn.Conv2d(4 * inputs, top, 3, padding=1)
        self.told = nn.Linear(features, top)
        self.levels = nn.ModuleList(
            nn.Sequential(*(_ResBlock(width) for _ in range(count)))
            for width, count in zip((top, bottom, top), blocks, strict=True)
        )
        self.down = nn.Conv2d(top, bottom, 2, stride=2)
        self.up = nn.Conv2d(bottom, 4 * top, 1)
        self.last = nn.Conv2d(top, 12, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, images: Tensor, features: Tensor) -> Tensor:
        hidden = self.first(F.pixel_unshuffle(images, 2)) + self.told(features)[:, :, None, None]
        before, bottom, after = self.levels
        hidden = before(F.relu(hidden))
        lower = bottom(F.relu(self.down(hidden)))
        hidden = after(hidden + F.pixel_shuffle(self.up(lower), 2))
        correction: Tensor = F.pixel_shuffle(self.last(F.relu(hidden)), 2)
        return correction
