"""A trained network behind one interface, whatever its number of outputs."""

from torch import Tensor, nn


class Restorer(nn.Module):
    """Any network as a map from blurred to restored images.

    Args:
        network: of several outputs the first has the input's size.

    Shape: (B, 3, H, W) in [0, 1] to the same, about [0, 1], float32; H and W multiples of ``size_multiple``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.size_multiple = int(getattr(network, "size_multiple", 1))  # users' networks need not have it

    def forward(self, blurred: Tensor) -> Tensor:
        output = self.network(blurred)
        restored: Tensor = output[0] if isinstance(output, list) else output
        return restored.float()
