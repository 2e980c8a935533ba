"""Losses that compare pixel by pixel. Each takes two (B, C, H, W) batches and returns one value per image, (B,)."""

from torch import Tensor, nn


class L1(nn.Module):
    """The mean absolute error of each image, (B,)."""

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        return (restored - sharp).abs().flatten(1).mean(dim=1)


class MSE(nn.Module):
    """The mean squared error of each image, (B,)."""

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        return (restored - sharp).square().flatten(1).mean(dim=1)


class Charbonnier(nn.Module):
    r"""The mean of :math:`\sqrt{e^2 + \epsilon^2}` over each image, (B,) (Charbonnier et al., 1994).

    Kornia's loss of this name is :math:`\sqrt{e^2 + 1} - 1`, which for images is about half the squared error.

    Args:
        epsilon: Errors far below it count by their squares, errors far above it by their absolute values.

    Raises:
        ValueError: If ``epsilon`` is not positive. With zero, the gradient of a pixel without error would be NaN.
    """

    def __init__(self, *, epsilon: float) -> None:
        super().__init__()
        if not epsilon > 0:
            raise ValueError(f"epsilon of Charbonnier must be positive, got {epsilon}; for zero, choose the loss L1.")
        self.epsilon = epsilon

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        error = (restored - sharp).square() + self.epsilon**2
        return error.sqrt().flatten(1).mean(dim=1)


class PSNRLoss(nn.Module):
    r"""The negative PSNR of each image in dB, (B,), on which NAFNet was trained (Chen et al., 2022).

    It is :math:`10 \log_{10}(\mathrm{mse} + 10^{-8})`, at least -80. The images are not clamped.
    """

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        return 10 * ((restored - sharp).square().flatten(1).mean(dim=1) + 1e-8).log10()
