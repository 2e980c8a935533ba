"""Layer normalisation over the channels of each position of an image."""

from torch import Tensor, nn


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation (Ba et al., 2016) over the channels of each position, (B, C, H, W) to the same.

    Args:
        channels: The number of channels, C.
        eps: It is added to the variance.
    """

    def __init__(self, channels: int, *, eps: float) -> None:
        super().__init__(channels, eps=eps)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features.movedim(1, -1)).movedim(-1, 1)
