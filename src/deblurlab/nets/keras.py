"""What the study's networks take over from Keras: how weights start, and the constants of batch normalisation."""

from torch import nn


def initialise(network: nn.Module) -> None:
    """Initialise every convolution of a network: Glorot uniform weights (Glorot & Bengio, 2010) and zero biases."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation with eps 1e-3 and Keras' momentum 0.99, which PyTorch counts as 0.01."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
