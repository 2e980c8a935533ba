"""The gradient of a critic's scores with respect to its images, which can itself be differentiated."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight
from torch.overrides import TorchFunctionMode


def image_gradient(critic: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """The gradient of the sum of a critic's scores with respect to the images.

    It can itself be differentiated, also with respect to the critic's weights. It equals
    ``torch.autograd.grad(critic(images).sum(), images, create_graph=True)``, and is faster to differentiate if the
    critic has convolutions.

    Args:
        critic: Takes images and returns scores of any shape.
        images: (B, C, H, W), with ``requires_grad``.

    Returns:
        (B, C, H, W).
    """
    with _Convolutions() as convolutions:
        scores = critic(images)
    convolutions.only_images = True
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    convolutions.only_images = False
    return gradient


class _Convolutions(TorchFunctionMode):
    """While it is active, replaces ``conv2d`` by a convolution that is faster to differentiate twice.

    Attributes:
        only_images: Whether the backward pass skips the gradients of weights and biases that are parameters. They are
            not needed for the gradient of the images, but autograd does not say so to a function written in Python.
    """

    only_images = False

    def __torch_function__(
        self, function: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if function is F.conv2d and args:
            return self._conv2d(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))

    def _conv2d(
        self,
        images: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Tensor:
        if isinstance(padding, str) or torch.is_autocast_enabled(images.device.type):
            return F.conv2d(images, weight, bias, stride, padding, dilation, groups)
        result: Tensor = _Conv2d.apply(  # type: ignore[no-untyped-call]
            images, weight, bias, _both(stride), _both(padding), _both(dilation), groups, self
        )
        return result


def _both(sizes: Any) -> tuple[int, int]:
    return (sizes, sizes) if isinstance(sizes, int) else tuple(sizes)


class _Conv2d(torch.autograd.Function):
    """``conv2d`` whose gradient with respect to its images is computed by ``conv_transpose2d``.

    PyTorch's own backward pass computes the same. But to differentiate that pass with respect to the weights, PyTorch
    uses a convolution with batch and channels exchanged and the stride as dilation, which is slow. The derivative of
    ``conv_transpose2d`` is as fast as that of any layer.
    """

    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: tuple[int, int],
        padding: tuple[int, int],
        dilation: tuple[int, int],
        groups: int,
        convolutions: _Convolutions,
    ) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.geometry, ctx.convolutions = (stride, padding, dilation, groups), convolutions
        ctx.parameters = (weight.is_leaf, bias is None or bias.is_leaf)
        return F.conv2d(images, weight, bias, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        images, weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.geometry
        weight_left_out, bias_left_out = (ctx.convolutions.only_images and leaf for leaf in ctx.parameters)
        grad_images = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            sizes = zip(
                images.shape[2:], grad_output.shape[2:], weight.shape[2:], stride, padding, dilation, strict=True
            )
            unread = [  # the rows and columns at the end that the kernel has not reached, the output_padding
                size + 2 * margin - spread * (kernel - 1) - 1 - step * (made - 1)
                for size, made, kernel, step, margin, spread in sizes
            ]
            if _is_slow_in_onednn(grad_output, weight, groups):
                grad_images = _ConvTranspose2d.apply(grad_output, weight, stride, padding, unread, dilation)  # type: ignore[no-untyped-call]
            else:
                grad_images = F.conv_transpose2d(grad_output, weight, None, stride, padding, unread, groups, dilation)
        if ctx.needs_input_grad[1] and not weight_left_out:
            if _is_slow_in_onednn(grad_output, weight, groups):
                grad_weight = _weight_gradient(images, weight, grad_output, stride, padding, dilation)
            else:
                grad_weight = conv2d_weight(images, weight.shape, grad_output, stride, padding, dilation, groups)  # type: ignore[no-untyped-call]
        if ctx.needs_input_grad[2] and not bias_left_out:
            grad_bias = grad_output.sum((0, 2, 3))
        return grad_images, grad_weight, grad_bias, None, None, None, None, None


# If the output of a convolution has at most so many pixels and at least so many channels, a CPU computes the gradient
# of its weights as one matrix product in less than half of oneDNN's time. The last layers of a critic on images of
# 32x32 pixels are like that.
_FEW_PIXELS, _MANY_CHANNELS = 16, 64


def _is_slow_in_onednn(grad_output: Tensor, weight: Tensor, groups: int) -> bool:
    few = grad_output.shape[2] * grad_output.shape[3] <= _FEW_PIXELS and len(weight) >= _MANY_CHANNELS
    return few and groups == 1 and grad_output.device.type == "cpu"


def _weight_gradient(
    images: Tensor,
    weight: Tensor,
    grad_output: Tensor,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
) -> Tensor:
    """The gradient of a convolution's weights, as a matrix product with the windows of the images."""
    windows = F.unfold(images, weight.shape[2:], dilation, padding, stride)  # (B, C K K, pixels)
    rows = windows.transpose(1, 2).flatten(0, 1)
    return (grad_output.flatten(2).transpose(1, 2).flatten(0, 1).T @ rows).view(weight.shape)


class _ConvTranspose2d(torch.autograd.Function):
    """``conv_transpose2d`` that computes the gradient of its weights by :func:`_weight_gradient`."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        stride: tuple[int, int],
        padding: tuple[int, int],
        unread: Sequence[int],
        dilation: tuple[int, int],
    ) -> Tensor:
        ctx.save_for_backward(features, weight)
        ctx.geometry = (stride, padding, dilation)
        return F.conv_transpose2d(features, weight, None, stride, padding, unread, 1, dilation)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        features, weight = ctx.saved_tensors
        grad_features = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_features = F.conv2d(grad_output, weight, None, *ctx.geometry)
        if ctx.needs_input_grad[1]:
            grad_weight = _weight_gradient(grad_output, weight, features, *ctx.geometry)
        return grad_features, grad_weight, None, None, None, None
