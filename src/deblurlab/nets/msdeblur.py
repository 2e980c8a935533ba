"""MSDeblur: the multi-scale generator of MSDeblurWGAN."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deblurlab.checks import require
from deblurlab.nets import keras
from deblurlab.nets.image_size import require_multiple

_WIDTH, _KERNEL = 64, 5

Quarter = Literal["average", "bilinear"]


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, _KERNEL, padding=_KERNEL // 2)


class _ResBlock(nn.Module):
    """Two convolutions with batch normalisation, a ReLU between them, and an identity shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = _conv(_WIDTH, _WIDTH), keras.batch_norm(_WIDTH)
        self.conv2, self.norm2 = _conv(_WIDTH, _WIDTH), keras.batch_norm(_WIDTH)

    def forward(self, features: Tensor) -> Tensor:
        hidden = F.relu(self.norm1(self.conv1(features)))
        normalised: Tensor = self.norm2(self.conv2(hidden))
        return features + normalised


class Branch(nn.Module):
    """The branch of one scale: from features, (B, C, h, w), to an image, (B, 3, h, w)."""

    def __init__(self, inputs: int, blocks: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(_conv(inputs, _WIDTH), *(_ResBlock() for _ in range(blocks)), _conv(_WIDTH, 3))

    def forward(self, features: Tensor) -> Tensor:
        image: Tensor = self.convs(features)
        return image


class MSDeblur(nn.Module):
    """Multi-scale deblurring, from coarse to fine (after Nah et al., 2017).

    Three branches of 5x5 convolutions with 64 channels restore the image at a quarter, at half and at full size. The
    output of a branch is enlarged by a 5x5 transposed convolution with stride 2, and concatenated with the blurred
    image of the next size::

        blurred, 1/4 of its size -> branch 0 -> restored 1/4
                                                    | upsample
        blurred, 1/2 of its size -------------> branch 1 -> restored 1/2
                                                                | upsample
        blurred, whole -------------------------------------> branch 2 -> restored

    It has 11,928,961 parameters with 19 blocks, and 3,311,233 with 5.

    Args:
        blocks: The number of residual blocks of each branch: in the study, 19 on CIFAR-10 and 5 on REDS.
        quarter: How images are reduced to a quarter of their size: see :meth:`pyramid`. The default is for weights
            files and runs of versions that had the average only; the configurations of ``model`` choose "bilinear".
        padding: How the transposed convolutions pad: "symmetric" equally on both sides, or "keras" more on one side,
            as the study's do. Weights that were trained with one fit the other badly.
        residual: Add the blurred image to each branch's output, instead of the tanh. The last convolutions start with
            zero weights, so that the untrained network returns the blurred images and learns the difference.

    Shape: (B, 3, H, W) in [0, 1] to three images, (B, 3, H, W), (B, 3, H/2, W/2) and (B, 3, H/4, W/4), in [0, 1], or in
    (-inf, inf) if ``residual``. Inside, images are in [-1, 1]. H and W must be multiples of 4; ValueError otherwise.
    """

    size_multiple = 4

    def __init__(
        self,
        *,
        blocks: int,
        quarter: Quarter = "average",
        padding: keras.Padding = "symmetric",
        residual: bool = False,
    ) -> None:
        super().__init__()
        require.one_of("quarter", quarter, get_args(Quarter))
        self.quarter, self.residual = quarter, residual
        self.branches = nn.ModuleList(Branch(inputs, blocks) for inputs in (3, _WIDTH, _WIDTH))
        self.upsample = nn.ModuleList(keras.doubling_conv(3, _WIDTH - 3, _KERNEL, padding) for _ in range(2))
        keras.initialise(self)
        if residual:
            for level in range(3):
                nn.init.zeros_(self.get_parameter(f"branches.{level}.convs.{blocks + 1}.weight"))

    def forward(self, blurred: Tensor) -> list[Tensor]:
        require_multiple(blurred, self.size_multiple, "MSDeblur")
        restored: list[Tensor] = []
        for level, (branch, here) in enumerate(zip(self.branches, self.pyramid(2 * blurred - 1)[::-1], strict=True)):
            features = here
            if level:
                features = torch.cat((self.upsample[level - 1](restored[-1]), here), dim=1)
            image = branch(features).type_as(here)  # under autocast, convolutions return bfloat16; images stay float32
            restored.append(here + image if self.residual else torch.tanh(image))
        return [(image + 1) / 2 for image in reversed(restored)]

    def pyramid(self, images: Tensor) -> list[Tensor]:
        """Reduce images, blurred or sharp, to the sizes that the network restores.

        At half size, a pixel is the mean of 2x2 pixels. At a quarter, it is the mean of 4x4 pixels with
        ``quarter="average"``; with "bilinear" it is the mean of the middle 2x2 of these, as in bilinear interpolation
        without antialiasing (``tf.image.resize``, which the study uses).

        Args:
            images: (B, C, H, W), H and W multiples of 4.

        Returns:
            The images at full size (unchanged), at half and at a quarter of it.
        """
        half = F.avg_pool2d(images, 2)
        if self.quarter == "bilinear":
            return [images, half, F.avg_pool2d(images[..., 1:-1, 1:-1], 2, stride=4)]
        return [images, half, F.avg_pool2d(images, 4)]
