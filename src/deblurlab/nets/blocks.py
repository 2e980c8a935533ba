"""What the networks share: Keras' initialisation and normalisation, and the check of an input's size."""

from torch import Tensor, nn

Convolution = (nn.Conv2d, nn.ConvTranspose2d)


def keras_init(network: nn.Module) -> None:
    """Initialise every convolution as Keras does: Glorot uniform weights (Glorot & Bengio, 2010), zero bias."""
    for module in network.modules():
        if isinstance(module, Convolution):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation with Keras' constants: eps 1e-3, momentum 0.99 (0.01 in torch's sense)."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def require_multiple(images: Tensor, multiple: int, network: str) -> None:
    """Raise ValueError unless height and width of ``images`` (B, C, H, W) are multiples of ``multiple``."""
    height, width = images.shape[-2:]
    if height % multiple or width % multiple:
        raise ValueError(
            f"{network} halves its input several times: height and width must be multiples of {multiple}, "
            f"got {height}x{width}. Pad or crop the images."
        )
