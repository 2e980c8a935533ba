"""The check of an image's height and width."""

from torch import Tensor


def require_multiple(images: Tensor, multiple: int, network: str) -> None:
    """Check that a network can halve the height and width of its images several times.

    Args:
        images: (B, C, H, W).
        multiple: The number that H and W must be multiples of.
        network: The network's name, for the message.

    Raises:
        ValueError: If H or W is not a multiple.
    """
    height, width = images.shape[-2:]
    if height % multiple or width % multiple:
        raise ValueError(
            f"{network} halves its input several times: height and width must be multiples of {multiple}, "
            f"got {height}x{width}. Pad or crop the images."
        )
