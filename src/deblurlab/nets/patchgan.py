"""The critic of both WGANs."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

from deblurlab.nets.blocks import keras_init


class _ChannelNorm(nn.LayerNorm):
    """Layer normalisation (Ba et al., 2016) over the channels of each position, with Keras' eps."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-3)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features.movedim(1, -1)).movedim(-1, 1)


class _Convolve(torch.autograd.Function):
    """A convolution made for a gradient penalty: its gradient by the images is a transposed convolution.

    Autograd's derivative of a convolution's gradient makes that of the weights with batch and channels exchanged, in
    a layout that costs a slow copy. A gradient that is to be differentiated itself is given for the images alone.
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(images, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        images, weight = ctx.saved_tensors
        by_images = by_weight = by_bias = None
        if ctx.needs_input_grad[0]:
            unread = [
                size - (made - 1) * ctx.stride - kernel + 2 * ctx.padding
                for size, made, kernel in zip(images.shape[2:], gradient.shape[2:], weight.shape[2:], strict=True)
            ]
            by_images = F.conv_transpose2d(gradient, weight, None, ctx.stride, ctx.padding, unread)
        if ctx.needs_input_grad[1] and not torch.is_grad_enabled():
            by_weight = conv2d_weight(images, weight.shape, gradient, ctx.stride, ctx.padding)  # type: ignore[no-untyped-call]
            by_bias = gradient.sum((0, 2, 3))
        return by_images, by_weight, by_bias, None, None


class _Conv2d(nn.Conv2d):
    """Convolves by :class:`_Convolve`; as ever on XLA, which lays out tensors itself, and under autocast, where no
    penalty is taken.
    """

    def forward(self, images: Tensor) -> Tensor:
        kind = images.device.type
        if kind == "xla" or torch.is_autocast_enabled(kind):
            return super().forward(images)
        result: Tensor = _Convolve.apply(  # type: ignore[no-untyped-call]
            images, self.weight, self.bias, self.stride[0], int(self.padding[0])
        )
        return result


def _conv(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """A 4x4 convolution, padded as TensorFlow pads 'same': with stride 1, three rows in all, two of them below.

    The convolution pads what is alike on all sides: it does not multiply those zeros.
    """
    below = nn.ZeroPad2d((0, 1, 0, 1)) if stride == 1 else nn.Identity()
    return nn.Sequential(below, _Conv2d(inputs, outputs, 4, stride=stride, padding=1))


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
