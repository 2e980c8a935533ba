"""Lays out the weights of networks as CPUs and GPUs convolve fastest."""

import torch
from torch import nn


def channels_last(network: nn.Module) -> nn.Module:
    """Lay the weights of a network out with the channels of a pixel beside each other.

    Returns:
        The network itself. ``network.to(memory_format=...)`` would do the same, but fails where a parameter has five
        dimensions.
    """
    with torch.no_grad():
        for weight in (*network.parameters(), *network.buffers()):
            if weight.dim() == 4:
                weight.data = weight.contiguous(memory_format=torch.channels_last)
    return network
